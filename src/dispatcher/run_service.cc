#include "dispatcher/run_service.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "common/clock.h"
#include "common/status.h"
#include "dispatcher/call_names.h"
#include "dispatcher/convert.h"
#include "dispatcher/errors.h"
#include "dispatcher/execute_reactor.h"
#include "dispatcher/follower.h"
#include "dispatcher/request_validation.h"
#include "dispatcher/run_filter.h"
#include "dispatcher/run_listing.h"
#include "dispatcher/run_name.h"
#include "dispatcher/small_message.h"
#include "dispatcher/spool_format.h"
#include "dispatcher/trace_context.h"

namespace caisson::dispatcher {
namespace {

constexpr char kApiRevision[] = "caisson.v1/1";
constexpr size_t kMaxPageTokenBytes = 64;
constexpr size_t kDefaultPageSize = 50;
constexpr size_t kMaxPageSize = 1'000;
constexpr auto kLastPlace = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());

grpc::Status CheckPageSize(int32_t page_size) {
  return page_size >= 0 ? grpc::Status::OK
                        : RefuseFields(Reason::kInvalidRequest, {{"page_size", "must not be negative"}});
}

grpc::Status InvalidPageToken() {
  return RefuseFields(Reason::kInvalidRequest, {{"page_token", "is not a token of an earlier page"}});
}

// `offsets` of a FollowRunRequest.
grpc::Status ReadOffsets(const v1::FollowRunRequest& follow, FollowPosition& from) {
  std::set<SpoolPart> seen;
  for (int i = 0; i < follow.offsets_size(); ++i) {
    const v1::FollowRunRequest::StreamOffset& offset = follow.offsets(i);
    const std::optional<SpoolPart> part = PartOf(offset.stream(), offset.step());
    const std::string field = "offsets[" + std::to_string(i) + "]";
    if (!part.has_value()) {
      return RefuseFields(Reason::kInvalidRequest,
                          {{field, "needs the stream stdout or stderr, and the step compile or run"}});
    }
    if (!seen.insert(*part).second) {
      return RefuseFields(Reason::kInvalidRequest, {{field, "names a stream that was named before"}});
    }
    from.next.at(static_cast<size_t>(*part)) = offset.offset();
  }
  return grpc::Status::OK;
}

grpc::Status ReadListing(const v1::ListRunsRequest& list, ListingRequest& listing) {
  if (const grpc::Status status = CheckPageSize(list.page_size()); !status.ok()) {
    return status;
  }
  listing.size = list.page_size() == 0 ? kDefaultPageSize
                                       : std::min(static_cast<size_t>(list.page_size()), kMaxPageSize);
  absl::StatusOr<RunFilter> filter = RunFilter::Parse(list.filter());
  if (!filter.ok()) {
    return RefuseFields(Reason::kInvalidRequest, {{"filter", Message(filter.status())}});
  }
  listing.filter = *std::move(filter);
  const std::string& token = list.page_token();
  if (!token.empty()) {
    const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), listing.before);
    if (error != std::errc() || end != token.data() + token.size() || listing.before == 0 ||
        listing.before > kLastPlace) {
      return InvalidPageToken();
    }
  }
  return grpc::Status::OK;
}

// A request that names a run.
template <class Request>
grpc::Status ReadNamed(const grpc::ByteBuffer& bytes, Request& request) {
  const grpc::Status status = ReadSmallRequest(bytes, request);
  return status.ok() ? ValidateRunName(request.name()) : status;
}

// Finishes a call with a message, or with what it was refused with. On the I/O thread.
class Answer {
 public:
  Answer(grpc::CallbackServerContext* context, grpc::ByteBuffer* response)
      : reactor_(context->DefaultReactor()), response_(response) {}
  // The call counts in `open_calls` until it is answered.
  Answer(grpc::CallbackServerContext* context, grpc::ByteBuffer* response, std::atomic<uint32_t>& open_calls)
      : Answer(context, response) {
    open_calls.fetch_add(1, std::memory_order_relaxed);
    counted_ = std::shared_ptr<void>(
        nullptr, [&open_calls](void*) { open_calls.fetch_sub(1, std::memory_order_relaxed); });
  }

  void operator()(const grpc::Status& status, const google::protobuf::Message& message) const {
    reactor_->Finish(status.ok() ? WriteResponse(message, *response_) : status);
  }
  grpc::ServerUnaryReactor* reactor() const { return reactor_; }

 private:
  grpc::ServerUnaryReactor* reactor_;  // gRPC's, as long as the call is not finished
  grpc::ByteBuffer* response_;
  std::shared_ptr<void> counted_;
};

grpc::Status TooManyCalls() {
  return RefuseQuota(Reason::kQueueFull, "too many calls are open", "calls", RunManager::kRetryDelayMs);
}

// SAFETY: gRPC made the buffer as a plain object of its own and keeps it for as long as the call; nobody else
// reads it.
void FreeRequest(const grpc::ByteBuffer* request) {
  const_cast<grpc::ByteBuffer*>(request)->Clear();  // NOLINT(cppcoreguidelines-pro-type-const-cast)
}

// Of a request that was read by ReadNamed.
template <class Request>
RunId IdOf(const Request& request) {
  return RunIdOf(request.name()).value_or(RunId{});
}

grpc::ServerUnaryReactor* AnswerNow(grpc::CallbackServerContext* context, const grpc::Status& status) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(status);
  return reactor;
}

}  // namespace

grpc::Status RunService::Identify(const grpc::CallbackServerContext& context, Use use, Caller& caller) const {
  const std::optional<Caller> found = book_.Find(context.peer());
  if (!found.has_value()) {
    // The gate forgets a connection when it ends, so nobody is there to be answered.
    return Refuse(Reason::kClientGone, "the client went away");
  }
  caller = *found;
  const bool may =
      use == Use::kLook || (use == Use::kCancel ? caller.MayCancelRuns() : caller.MayStartRuns());
  return may ? grpc::Status::OK
             : Refuse(Reason::kRoleNotAllowed,
                      std::string("the role ") + RoleName(caller.role) + " may not do this",
                      {{"role", RoleName(caller.role)}});
}

grpc::ServerWriteReactor<grpc::ByteBuffer>* RunService::Execute(grpc::CallbackServerContext* context,
                                                                const grpc::ByteBuffer* request) {
  const int64_t received_ns = MonotonicNanos();
  std::shared_ptr<ExecuteReactor> reactor = ExecuteReactor::Create(context, io_, open_calls_);
  Caller caller;
  if (const grpc::Status status = Identify(*context, Use::kStart, caller); !status.ok()) {
    reactor->RefuseAtOnce(status);
    return reactor.get();
  }
  if (HasTooManyCalls()) {
    reactor->RefuseAtOnce(Counted(TooManyCalls()));
    return reactor.get();
  }
  if (context->IsCancelled()) {
    // Its client left before we came to it: not worth parsing, and no reason to take a place in the queue.
    reactor->RefuseAtOnce(Refuse(Reason::kClientGone, "the client went away"));
    return reactor.get();
  }
  auto spec = std::make_shared<RunSpec>();
  const grpc::Status status = intake_.Decode(*request, *spec);
  FreeRequest(request);
  if (!status.ok()) {
    reactor->RefuseAtOnce(Counted(status));
    return reactor.get();
  }
  spec->tenant = caller.tenant;
  spec->traceparent = TraceparentOf(*context);
  spec->received_ns = received_ns;
  io_.Post([this, spec, reactor] { manager_.Submit(std::move(*spec), reactor); });
  return reactor.get();
}

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* RunService::Interact(
    grpc::CallbackServerContext* context) {
  Caller caller;
  const grpc::Status identified = Identify(*context, Use::kStart, caller);
  const auto take = [this, tenant = caller.tenant, traceparent = TraceparentOf(*context),
                     opening = std::make_shared<InteractOpening>(intake_)](v1::InteractRequest& message,
                                                                           InteractReactor::Submit& submit) {
    auto spec = std::make_shared<RunSpec>();
    bool complete = false;
    const grpc::Status status = opening->Take(message, *spec, complete);
    if (complete) {
      spec->tenant = tenant;
      spec->traceparent = traceparent;
      submit = [this, spec](std::shared_ptr<ClientStream> client) {
        manager_.Submit(std::move(*spec), std::move(client));
      };
    }
    return Counted(status);
  };
  std::shared_ptr<InteractReactor> reactor =
      InteractReactor::Create(context, io_, open_calls_, take, config_.input_timeouts);
  if (!identified.ok()) {
    reactor->RefuseAtOnce(Counted(identified));
  } else if (HasTooManyCalls()) {
    reactor->RefuseAtOnce(Counted(TooManyCalls()));
  } else {
    reactor->Begin();
  }
  return reactor.get();
}

grpc::Status RunService::Counted(const grpc::Status& refusal) const {
  if (!refusal.ok() && config_.metrics != nullptr) {
    config_.metrics->OnRefused(ReasonName(refusal));
  }
  return refusal;
}

grpc::ServerUnaryReactor* RunService::CreateRun(grpc::CallbackServerContext* context,
                                                const grpc::ByteBuffer* request, grpc::ByteBuffer* response) {
  const int64_t received_ns = MonotonicNanos();
  Caller caller;
  if (const grpc::Status status = Identify(*context, Use::kStart, caller); !status.ok()) {
    return AnswerNow(context, status);
  }
  if (HasTooManyCalls()) {
    return AnswerNow(context, Counted(TooManyCalls()));
  }
  auto spec = std::make_shared<RunSpec>();
  const grpc::Status status = intake_.Decode(*request, *spec, RequestIdUse::kTaken);
  FreeRequest(request);
  if (!status.ok()) {
    return AnswerNow(context, Counted(status));
  }
  spec->tenant = caller.tenant;
  spec->traceparent = TraceparentOf(*context);
  spec->received_ns = received_ns;
  const Answer answer(context, response, open_calls_);
  io_.Post([this, spec, answer] { manager_.Create(std::move(*spec), answer); });
  return answer.reactor();
}

grpc::ServerWriteReactor<grpc::ByteBuffer>* RunService::FollowRun(grpc::CallbackServerContext* context,
                                                                  const grpc::ByteBuffer* request) {
  std::shared_ptr<ExecuteReactor> reactor = ExecuteReactor::Create(context, io_, open_calls_);
  Caller caller;
  if (const grpc::Status status = Identify(*context, Use::kLook, caller); !status.ok()) {
    reactor->RefuseAtOnce(status);
    return reactor.get();
  }
  if (HasTooManyCalls()) {
    reactor->RefuseAtOnce(TooManyCalls());
    return reactor.get();
  }
  v1::FollowRunRequest follow;
  FollowPosition from;
  grpc::Status status = ReadNamed(*request, follow);
  if (status.ok()) {
    status = ReadOffsets(follow, from);
  }
  if (!status.ok()) {
    reactor->RefuseAtOnce(status);
    return reactor.get();
  }
  io_.Post([this, caller, id = IdOf(follow), from, reactor] { manager_.Follow(caller, id, from, reactor); });
  return reactor.get();
}

grpc::ServerUnaryReactor* RunService::GetRun(grpc::CallbackServerContext* context,
                                             const grpc::ByteBuffer* request, grpc::ByteBuffer* response) {
  Caller caller;
  if (const grpc::Status status = Identify(*context, Use::kLook, caller); !status.ok()) {
    return AnswerNow(context, status);
  }
  v1::GetRunRequest get;
  if (const grpc::Status status = ReadNamed(*request, get); !status.ok()) {
    return AnswerNow(context, status);
  }
  const Answer answer(context, response);
  io_.Post([this, caller, id = IdOf(get), answer] { manager_.Get(caller, id, answer); });
  return answer.reactor();
}

grpc::ServerUnaryReactor* RunService::CancelRun(grpc::CallbackServerContext* context,
                                                const grpc::ByteBuffer* request, grpc::ByteBuffer* response) {
  Caller caller;
  if (const grpc::Status status = Identify(*context, Use::kCancel, caller); !status.ok()) {
    return AnswerNow(context, status);
  }
  v1::CancelRunRequest cancel;
  if (const grpc::Status status = ReadNamed(*request, cancel); !status.ok()) {
    return AnswerNow(context, status);
  }
  const Answer answer(context, response);
  io_.Post([this, caller, id = IdOf(cancel), answer] { manager_.Cancel(caller, id, answer); });
  return answer.reactor();
}

grpc::ServerUnaryReactor* RunService::ListRuns(grpc::CallbackServerContext* context,
                                               const grpc::ByteBuffer* request, grpc::ByteBuffer* response) {
  ListingRequest listing;
  if (const grpc::Status status = Identify(*context, Use::kLook, listing.caller); !status.ok()) {
    return AnswerNow(context, status);
  }
  v1::ListRunsRequest list;
  grpc::Status status = ReadSmallRequest(*request, list);
  if (status.ok()) {
    status = ReadListing(list, listing);
  }
  if (!status.ok()) {
    return AnswerNow(context, status);
  }
  const Answer answer(context, response);
  io_.Post([this, listing = std::move(listing), answer] { manager_.List(listing, answer); });
  return answer.reactor();
}

grpc::ServerUnaryReactor* RunService::ListProfiles(grpc::CallbackServerContext* context,
                                                   const grpc::ByteBuffer* request,
                                                   grpc::ByteBuffer* response) {
  Caller caller;
  if (const grpc::Status status = Identify(*context, Use::kLook, caller); !status.ok()) {
    return AnswerNow(context, status);
  }
  v1::ListProfilesRequest list;
  if (const grpc::Status status = ReadSmallRequest(*request, list); !status.ok()) {
    return AnswerNow(context, status);
  }
  if (const grpc::Status status = CheckPageSize(list.page_size()); !status.ok()) {
    return AnswerNow(context, status);
  }
  if (list.page_token().size() > kMaxPageTokenBytes) {
    return AnswerNow(context, InvalidPageToken());
  }
  v1::ListProfilesResponse page;
  const auto& entries = catalog_.entries();
  for (auto at = entries.upper_bound(list.page_token()); at != entries.end(); ++at) {
    if (list.page_size() != 0 && page.profiles_size() == list.page_size()) {
      page.set_next_page_token(std::prev(at)->first);
      break;
    }
    *page.add_profiles() = ProfileToProto(at->second);
  }
  return AnswerNow(context, WriteResponse(page, *response));
}

grpc::ServerUnaryReactor* RunService::GetServerInfo(grpc::CallbackServerContext* context,
                                                    const grpc::ByteBuffer* request,
                                                    grpc::ByteBuffer* response) {
  Caller caller;
  if (const grpc::Status status = Identify(*context, Use::kLook, caller); !status.ok()) {
    return AnswerNow(context, status);
  }
  v1::GetServerInfoRequest get;
  if (const grpc::Status status = ReadSmallRequest(*request, get); !status.ok()) {
    return AnswerNow(context, status);
  }
  const Answer answer(context, response);
  io_.Post([this, caller, answer] {
    v1::ServerInfo info;
    info.set_version(config_.version);
    info.set_api_revision(kApiRevision);
    info.set_max_request_bytes(kMaxRequestBytes);
    for (const char* feature :
         {"execute", "interact", "upload", "terminal", "output_files", "steps", "cancel", "list_runs",
          "create", "follow", "tenants", "health", "reflection"}) {
      info.add_features(feature);
    }
    info.set_role(RoleName(caller.role));
    if (caller.role != Role::kOperator) {
      info.set_tenant(caller.tenant.name());
    }
    manager_.FillInfo(caller, info);
    answer(grpc::Status::OK, info);
  });
  return answer.reactor();
}

}  // namespace caisson::dispatcher
