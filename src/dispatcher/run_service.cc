#include "dispatcher/run_service.h"

#include <charconv>
#include <memory>
#include <utility>
#include <vector>

#include "common/clock.h"
#include "common/status.h"
#include "dispatcher/convert.h"
#include "dispatcher/errors.h"
#include "dispatcher/execute_reactor.h"
#include "dispatcher/request_validation.h"
#include "dispatcher/small_message.h"

namespace caisson::dispatcher {
namespace {

constexpr char kApiRevision[] = "caisson.v1/1";
constexpr size_t kMaxPageTokenBytes = 64;

grpc::Status CheckPageSize(int32_t page_size) {
  return page_size >= 0 ? grpc::Status::OK
                        : RefuseFields(Reason::kInvalidRequest, {{"page_size", "must not be negative"}});
}

grpc::Status InvalidPageToken() {
  return RefuseFields(Reason::kInvalidRequest, {{"page_token", "is not a token of an earlier page"}});
}

// A request that names a run.
template <class Request>
grpc::Status ReadNamed(const grpc::ByteBuffer& bytes, Request& request) {
  const grpc::Status status = ReadSmallRequest(bytes, request);
  return status.ok() ? ValidateRunName(request.name()) : status;
}

grpc::ServerUnaryReactor* AnswerNow(grpc::CallbackServerContext* context, const grpc::Status& status) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(status);
  return reactor;
}

}  // namespace

grpc::ServerWriteReactor<grpc::ByteBuffer>* RunService::Execute(grpc::CallbackServerContext* context,
                                                                const grpc::ByteBuffer* request) {
  const int64_t received_ns = MonotonicNanos();
  std::shared_ptr<ExecuteReactor> reactor = ExecuteReactor::Create(context, io_, open_calls_);
  if (open_calls_.load(std::memory_order_relaxed) > config_.max_open_calls) {
    reactor->RefuseAtOnce(
        RefuseQuota(Reason::kQueueFull, "too many calls are open", "calls", RunManager::kRetryDelayMs));
    return reactor.get();
  }
  if (context->IsCancelled()) {
    // Its client left before we came to it: not worth parsing, and no reason to take a place in the queue.
    reactor->RefuseAtOnce(Refuse(Reason::kClientGone, "the client went away"));
    return reactor.get();
  }
  auto spec = std::make_shared<RunSpec>();
  const grpc::Status status = intake_.Decode(*request, *spec);
  // SAFETY: gRPC made the buffer as a plain object of its own and keeps it for as long as the call; nobody
  // else reads it.
  const_cast<grpc::ByteBuffer*>(request)->Clear();  // NOLINT(cppcoreguidelines-pro-type-const-cast)
  if (!status.ok()) {
    reactor->RefuseAtOnce(status);
    return reactor.get();
  }
  spec->received_ns = received_ns;
  io_.Post([this, spec, reactor] { manager_.Submit(std::move(*spec), reactor); });
  return reactor.get();
}

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* RunService::Interact(
    grpc::CallbackServerContext* context) {
  const auto take = [this, opening = std::make_shared<InteractOpening>(intake_)](
                        v1::InteractRequest& message, InteractReactor::Submit& submit) {
    auto spec = std::make_shared<RunSpec>();
    bool complete = false;
    const grpc::Status status = opening->Take(message, *spec, complete);
    if (complete) {
      submit = [this, spec](std::shared_ptr<ClientStream> client) {
        manager_.Submit(std::move(*spec), std::move(client));
      };
    }
    return status;
  };
  std::shared_ptr<InteractReactor> reactor =
      InteractReactor::Create(context, io_, open_calls_, take, config_.input_timeouts);
  if (open_calls_.load(std::memory_order_relaxed) > config_.max_open_calls) {
    reactor->RefuseAtOnce(
        RefuseQuota(Reason::kQueueFull, "too many calls are open", "calls", RunManager::kRetryDelayMs));
  } else {
    reactor->Begin();
  }
  return reactor.get();
}

template <class Response>
grpc::ServerUnaryReactor* RunService::AnswerOnIoThread(grpc::CallbackServerContext* context,
                                                       grpc::ByteBuffer* response,
                                                       std::function<grpc::Status(Response&)> work) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  io_.Post([reactor, response, work = std::move(work)] {
    Response message;
    const grpc::Status status = work(message);
    reactor->Finish(status.ok() ? WriteResponse(message, *response) : status);
  });
  return reactor;
}

grpc::ServerUnaryReactor* RunService::GetRun(grpc::CallbackServerContext* context,
                                             const grpc::ByteBuffer* request, grpc::ByteBuffer* response) {
  v1::GetRunRequest get;
  if (const grpc::Status status = ReadNamed(*request, get); !status.ok()) {
    return AnswerNow(context, status);
  }
  return AnswerOnIoThread<v1::Run>(
      context, response, [this, name = get.name()](v1::Run& run) { return manager_.Get(name, run); });
}

grpc::ServerUnaryReactor* RunService::CancelRun(grpc::CallbackServerContext* context,
                                                const grpc::ByteBuffer* request, grpc::ByteBuffer* response) {
  v1::CancelRunRequest cancel;
  if (const grpc::Status status = ReadNamed(*request, cancel); !status.ok()) {
    return AnswerNow(context, status);
  }
  return AnswerOnIoThread<v1::Run>(
      context, response, [this, name = cancel.name()](v1::Run& run) { return manager_.Cancel(name, run); });
}

grpc::ServerUnaryReactor* RunService::ListRuns(grpc::CallbackServerContext* context,
                                               const grpc::ByteBuffer* request, grpc::ByteBuffer* response) {
  v1::ListRunsRequest list;
  if (const grpc::Status status = ReadSmallRequest(*request, list); !status.ok()) {
    return AnswerNow(context, status);
  }
  if (!list.filter().empty()) {
    return AnswerNow(context, RefuseFields(Reason::kFieldNotSupported, {{"filter", "not supported yet"}}));
  }
  if (const grpc::Status status = CheckPageSize(list.page_size()); !status.ok()) {
    return AnswerNow(context, status);
  }
  uint64_t before = 0;
  const std::string& token = list.page_token();
  if (!token.empty()) {
    const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), before);
    if (error != std::errc() || end != token.data() + token.size() || before == 0) {
      return AnswerNow(context, InvalidPageToken());
    }
  }
  return AnswerOnIoThread<v1::ListRunsResponse>(context, response,
                                                [this, list, before](v1::ListRunsResponse& page) {
                                                  manager_.List(list, before, page);
                                                  return grpc::Status::OK;
                                                });
}

grpc::ServerUnaryReactor* RunService::ListProfiles(grpc::CallbackServerContext* context,
                                                   const grpc::ByteBuffer* request,
                                                   grpc::ByteBuffer* response) {
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
  v1::GetServerInfoRequest get;
  if (const grpc::Status status = ReadSmallRequest(*request, get); !status.ok()) {
    return AnswerNow(context, status);
  }
  return AnswerOnIoThread<v1::ServerInfo>(context, response, [this](v1::ServerInfo& info) {
    info.set_version(config_.version);
    info.set_api_revision(kApiRevision);
    info.set_max_request_bytes(kMaxRequestBytes);
    for (const char* feature : {"execute", "interact", "upload", "terminal", "output_files", "steps",
                                "cancel", "list_runs", "health", "reflection"}) {
      info.add_features(feature);
    }
    manager_.FillInfo(info);
    return grpc::Status::OK;
  });
}

}  // namespace caisson::dispatcher
