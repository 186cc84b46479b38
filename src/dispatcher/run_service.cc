#include "dispatcher/run_service.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "common/clock.h"
#include "common/status.h"
#include "dispatcher/call_names.h"
#include "dispatcher/errors.h"
#include "dispatcher/execute_reactor.h"
#include "dispatcher/follower.h"
#include "dispatcher/look_requests.h"
#include "dispatcher/request_validation.h"
#include "dispatcher/run_listing.h"
#include "dispatcher/run_name.h"
#include "dispatcher/small_message.h"
#include "dispatcher/tenancy/decision.h"
#include "dispatcher/trace_context.h"
#include "dispatcher/unary_answer.h"

namespace caisson::dispatcher {
namespace {

constexpr char kApiRevision[] = "caisson.v1/1";

// A request that names a run.
template <class Request>
grpc::Status ReadNamed(const grpc::ByteBuffer& bytes, Request& request) {
  const grpc::Status status = ReadSmallRequest(bytes, request);
  return status.ok() ? ValidateRunName(request.name()) : status;
}

grpc::Status TooManyCalls() {
  return RefuseQuota(Reason::kQueueFull, "too many calls are open", "calls", RunManager::kRetryDelayMs);
}

// Whose open calls a call is one of: its tenant's, or those of all operators, who have no tenant.
TenantId PayerOf(const Caller& caller) {
  return caller.role == Role::kOperator ? TenantId(std::string()) : caller.tenant;
}

// Until when the call waits for its run. Not of CreateRun, whose run outlives it.
void SetDeadline(const grpc::CallbackServerContext& context, RunSpec& spec) {
  if (const auto deadline = context.deadline(); deadline != std::chrono::system_clock::time_point::max()) {
    const auto left = deadline - std::chrono::system_clock::now();
    spec.deadline_ns = spec.received_ns + std::chrono::duration_cast<std::chrono::nanoseconds>(left).count();
  }
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

grpc::Status RunService::Identify(const grpc::CallbackServerContext& context, Use use, Caller& caller) {
  const std::optional<Caller> found = book_.Find(context.peer());
  if (!found.has_value()) {
    // The gate forgets a connection when it ends, so nobody is there to be answered.
    return Refuse(Reason::kClientGone, "the client went away");
  }
  caller = *found;
  if (caller.role == Role::kByToken) {
    if (const grpc::Status status = IdentifyByToken(context, caller); !status.ok()) {
      return status;
    }
  }
  const bool may = use == Use::kLook     ? caller.MayLookAtRuns()
                   : use == Use::kCancel ? caller.MayCancelRuns()
                                         : caller.MayStartRuns();
  return may ? grpc::Status::OK
             : Refuse(Reason::kRoleNotAllowed,
                      std::string("the role ") + RoleName(caller.role) + " may not do this",
                      {{"role", RoleName(caller.role)}});
}

grpc::Status RunService::IdentifyByToken(const grpc::CallbackServerContext& context, Caller& caller) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const int64_t seconds = std::chrono::duration_cast<std::chrono::seconds>(now).count();
  const std::shared_ptr<const PolicyState> state = manager_.policies().Now();
  const std::optional<Reason> refused =
      Authenticate(context.client_metadata(), state->tokens(), seconds, caller);
  if (!refused.has_value()) {
    book_.NoteToken(context.peer(), caller);
    return grpc::Status::OK;
  }
  if (config_.metrics != nullptr) {
    config_.metrics->OnUnauthenticated(InfoOf(*refused).name);
  }
  if (const auto line = refused_tokens_.Add(*refused, MonotonicNanos()); line.has_value()) {
    spdlog::warn("{}", *line);
  }
  return RefuseToken(*refused);
}

std::atomic<uint32_t>& RunService::CallsOf(const Caller& caller) {
  return caller.role == Role::kByToken ? nobodys_calls_ : open_calls_.Of(PayerOf(caller));
}

grpc::Status RunService::Receive(const grpc::CallbackServerContext& context, const Caller& caller,
                                 RunSpec& spec) {
  spec.received_ns = MonotonicNanos();
  if (!open_calls_.MayStay(PayerOf(caller))) {
    return TooManyCalls();
  }
  spec.tenant = caller.tenant;
  spec.policy = manager_.policies().Now()->Of(caller.tenant);
  if (spec.policy == nullptr) {
    return RefuseWithoutPolicy(caller.tenant.name());
  }
  if (const auto wait_ns = rates_.Take(caller.tenant, *spec.policy, spec.received_ns); wait_ns.has_value()) {
    return RefuseByQuota(*spec.policy, policy::QuotaId::kRequestsPerSecond, "too many requests a second",
                         std::max<int64_t>(1, *wait_ns / kNanosPerMilli));
  }
  spec.traceparent = TraceparentOf(context);
  return grpc::Status::OK;
}

grpc::ServerWriteReactor<grpc::ByteBuffer>* RunService::Execute(grpc::CallbackServerContext* context,
                                                                const grpc::ByteBuffer* request) {
  Caller caller;
  const grpc::Status identified = Identify(*context, Use::kStart, caller);
  std::shared_ptr<ExecuteReactor> reactor = ExecuteReactor::Create(context, io_, CallsOf(caller));
  if (!identified.ok()) {
    reactor->RefuseAtOnce(identified);
    return reactor.get();
  }
  auto spec = std::make_shared<RunSpec>();
  grpc::Status status = Receive(*context, caller, *spec);
  if (status.ok() && context->IsCancelled()) {
    // Its client left before we came to it: not worth parsing, and no reason to take a place in the queue.
    status = Refuse(Reason::kClientGone, "the client went away");
  }
  if (status.ok()) {
    SetDeadline(*context, *spec);
    status = intake_.Decode(*request, *spec);
  }
  FreeRequest(request);
  if (!status.ok()) {
    reactor->RefuseAtOnce(Counted(status));
    return reactor.get();
  }
  io_.Post([this, spec, reactor] { manager_.Submit(std::move(*spec), reactor); });
  return reactor.get();
}

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* RunService::Interact(
    grpc::CallbackServerContext* context) {
  Caller caller;
  const grpc::Status identified = Identify(*context, Use::kStart, caller);
  RunSpec known;
  const auto opening = std::make_shared<std::optional<InteractOpening>>();
  const auto take = [this, opening](v1::InteractRequest& message, InteractReactor::Submit& submit) {
    auto spec = std::make_shared<RunSpec>();
    bool complete = false;
    const grpc::Status status = (*opening)->Take(message, *spec, complete);
    if (complete) {
      submit = [this, spec](std::shared_ptr<ClientStream> client) {
        manager_.Submit(std::move(*spec), std::move(client));
      };
    }
    return Counted(status);
  };
  std::shared_ptr<InteractReactor> reactor =
      InteractReactor::Create(context, io_, CallsOf(caller), take, config_.input_timeouts);
  const grpc::Status status = identified.ok() ? Counted(Receive(*context, caller, known)) : identified;
  if (!status.ok()) {
    reactor->RefuseAtOnce(status);
    return reactor.get();
  }
  SetDeadline(*context, known);
  opening->emplace(intake_, std::move(known));
  reactor->Begin();
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
  Caller caller;
  if (const grpc::Status status = Identify(*context, Use::kStart, caller); !status.ok()) {
    return AnswerNow(context, status);
  }
  // Counts from here on, whatever becomes of it.
  const UnaryAnswer answer(context, response, CallsOf(caller));
  auto spec = std::make_shared<RunSpec>();
  grpc::Status status = Receive(*context, caller, *spec);
  if (status.ok()) {
    status = intake_.Decode(*request, *spec, RequestIdUse::kTaken);
  }
  FreeRequest(request);
  if (!status.ok()) {
    answer(Counted(status), v1::Run());
    return answer.reactor();
  }
  io_.Post([this, spec, answer] { manager_.Create(std::move(*spec), answer); });
  return answer.reactor();
}

grpc::ServerWriteReactor<grpc::ByteBuffer>* RunService::FollowRun(grpc::CallbackServerContext* context,
                                                                  const grpc::ByteBuffer* request) {
  Caller caller;
  const grpc::Status identified = Identify(*context, Use::kLook, caller);
  std::shared_ptr<ExecuteReactor> reactor = ExecuteReactor::Create(context, io_, CallsOf(caller));
  v1::FollowRunRequest follow;
  FollowPosition from;
  grpc::Status status = identified;
  if (status.ok() && !open_calls_.MayStay(PayerOf(caller))) {
    status = TooManyCalls();
  }
  if (status.ok()) {
    status = ReadNamed(*request, follow);
  }
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
  const UnaryAnswer answer(context, response);
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
  const UnaryAnswer answer(context, response);
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
  const UnaryAnswer answer(context, response);
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
  if (const grpc::Status status = CheckNamePageToken(list.page_token()); !status.ok()) {
    return AnswerNow(context, status);
  }
  // An operator sees what there is; a tenant what it may have.
  const auto policy = caller.role == Role::kOperator ? nullptr : manager_.policies().Now()->Of(caller.tenant);
  const bool nothing = caller.role != Role::kOperator && policy == nullptr;
  const v1::ListProfilesResponse page =
      nothing ? v1::ListProfilesResponse() : MakeProfilePage(catalog_, list, policy.get());
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
  const UnaryAnswer answer(context, response);
  io_.Post([this, caller, answer] {
    v1::ServerInfo info;
    info.set_version(config_.version);
    info.set_api_revision(kApiRevision);
    info.set_max_request_bytes(kMaxRequestBytes);
    for (const char* feature :
         {"execute", "interact", "upload", "terminal", "output_files", "steps", "cancel", "list_runs",
          "create", "follow", "tenants", "priority", "health", "reflection"}) {
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
