#include "dispatcher/run_service.h"

#include <grpcpp/impl/codegen/proto_utils.h>
#include <spdlog/spdlog.h>

#include <charconv>
#include <memory>
#include <utility>
#include <vector>

#include "common/clock.h"
#include "common/status.h"
#include "dispatcher/convert.h"
#include "dispatcher/errors.h"
#include "dispatcher/execute_reactor.h"
#include "dispatcher/interact_reactor.h"
#include "dispatcher/request_bundle.h"
#include "dispatcher/request_validation.h"
#include "dispatcher/undecodable_fields.h"

namespace caisson::dispatcher {
namespace {

constexpr char kApiRevision[] = "caisson.v1/1";
constexpr size_t kMaxPageTokenBytes = 64;
constexpr size_t kMaxTermBytes = 64;
constexpr char kDefaultTerm[] = "xterm-256color";
constexpr uint32_t kDefaultRows = 24;
constexpr uint32_t kDefaultColumns = 80;

std::string Flatten(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  std::string bytes;
  if (buffer.Dump(&slices).ok()) {
    bytes.reserve(buffer.Length());
    for (const grpc::Slice& slice : slices) {
      bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());  // SAFETY: bytes as bytes
    }
  }
  return bytes;
}

TerminalSize ReadTerminal(const v1::InteractRequest::Terminal& terminal,
                          std::vector<FieldViolation>& violations) {
  const std::string most = std::to_string(kMaxTerminalSide);
  if (terminal.rows() > kMaxTerminalSide) {
    violations.push_back({"terminal.rows", "at most " + most});
  }
  if (terminal.columns() > kMaxTerminalSide) {
    violations.push_back({"terminal.columns", "at most " + most});
  }
  constexpr char kTermCharacters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-._";
  if (terminal.term().size() > kMaxTermBytes ||
      terminal.term().find_first_not_of(kTermCharacters) != std::string::npos) {
    violations.push_back({"terminal.term", "at most " + std::to_string(kMaxTermBytes) +
                                               " letters, digits, '+', '-', '.' and '_'"});
  }
  return {static_cast<uint16_t>(terminal.rows() == 0 ? kDefaultRows : terminal.rows()),
          static_cast<uint16_t>(terminal.columns() == 0 ? kDefaultColumns : terminal.columns())};
}

grpc::Status CheckPageSize(int32_t page_size) {
  return page_size >= 0 ? grpc::Status::OK
                        : RefuseFields(Reason::kInvalidRequest, {{"page_size", "must not be negative"}});
}

grpc::Status InvalidPageToken() {
  return RefuseFields(Reason::kInvalidRequest, {{"page_token", "is not a token of an earlier page"}});
}

grpc::ServerUnaryReactor* AnswerNow(grpc::CallbackServerContext* context, const grpc::Status& status) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(status);
  return reactor;
}

}  // namespace

grpc::Status RunService::Parse(const grpc::ByteBuffer& request, RunSpec& spec) const {
  v1::ExecuteRequest message;
  {
    grpc::ByteBuffer copy(request);  // shares the bytes; deserializing empties it
    if (!grpc::SerializationTraits<v1::ExecuteRequest>::Deserialize(&copy, &message).ok()) {
      return RefuseFields(Reason::kInvalidRequest,
                          FindUndecodableFields(*v1::ExecuteRequest::descriptor(), Flatten(request)));
    }
  }
  return Accept(message, spec);
}

grpc::Status RunService::Accept(v1::ExecuteRequest& message, RunSpec& spec) const {
  ValidRequest valid;
  if (grpc::Status status = ValidateExecute(message, catalog_, config_.memory_budget_bytes, valid);
      !status.ok()) {
    return status;
  }
  const policy::Profile& profile = valid.entry->profile;
  absl::StatusOr<RequestBundles> bundles = MakeBundles(message, valid.main_file, profile);
  if (!bundles.ok()) {
    spdlog::error("{}", Message(bundles.status()));
    return RefuseQuota(Reason::kQueueFull, "the request cannot be stored now", "memory",
                       RunManager::kRetryDelayMs);
  }
  spec.id = NewRunId();
  spec.profile = profile.name;
  spec.limits = valid.limits;
  spec.overflow = valid.overflow;
  spec.labels = std::move(valid.labels);
  spec.bundle = std::move(bundles->first);
  if (profile.compile.has_value()) {
    spec.compile = CompileSpec{profile.compile->limits.defaults, std::move(bundles->second)};
  }
  spec.memory_bytes = valid.memory_bytes;
  spec.collects = !message.output_paths().empty();
  spec.request_bytes = message.ByteSizeLong();
  spec.input.stdin_data = std::move(*message.mutable_stdin());
  return grpc::Status::OK;
}

grpc::ServerWriteReactor<grpc::ByteBuffer>* RunService::Execute(grpc::CallbackServerContext* context,
                                                                const grpc::ByteBuffer* request) {
  const int64_t received_ns = MonotonicNanos();
  std::shared_ptr<ExecuteReactor> reactor = ExecuteReactor::Create(context, io_, open_calls_);
  if (open_calls_.load(std::memory_order_relaxed) > config_.max_open_calls) {
    reactor->RefuseAtOnce(
        RefuseQuota(Reason::kQueueFull, "too many calls are open", "calls", RunManager::kRetryDelayMs));
    return reactor.get();
  }
  auto spec = std::make_shared<RunSpec>();
  const grpc::Status status = Parse(*request, *spec);
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

grpc::Status RunService::AcceptOpen(v1::InteractRequest::Open& open, RunSpec& spec) const {
  std::vector<FieldViolation> violations;
  spec.input.interactive = true;
  if (open.files_to_follow() != 0) {
    return RefuseFields(Reason::kFieldNotSupported, {{"files_to_follow", "not supported yet"}});
  }
  if (open.has_terminal()) {
    spec.input.terminal = ReadTerminal(open.terminal(), violations);
    const std::string& term = open.terminal().term();
    // The request's own TERM is stronger: it is the more particular wish.
    open.mutable_request()->mutable_env()->insert({"TERM", term.empty() ? kDefaultTerm : term});
  }
  if (!violations.empty()) {
    return RefuseFields(Reason::kInvalidRequest, violations);
  }
  return Accept(*open.mutable_request(), spec);
}

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* RunService::Interact(
    grpc::CallbackServerContext* context) {
  const auto accept = [this](v1::InteractRequest::Open& open, InteractReactor::Submit& submit) {
    auto spec = std::make_shared<RunSpec>();
    spec->received_ns = MonotonicNanos();
    const grpc::Status status = AcceptOpen(open, *spec);
    if (status.ok()) {
      submit = [this, spec](std::shared_ptr<ClientStream> client) {
        manager_.Submit(std::move(*spec), std::move(client));
      };
    }
    return status;
  };
  std::shared_ptr<InteractReactor> reactor = InteractReactor::Create(context, io_, open_calls_, accept);
  if (open_calls_.load(std::memory_order_relaxed) > config_.max_open_calls) {
    reactor->RefuseAtOnce(
        RefuseQuota(Reason::kQueueFull, "too many calls are open", "calls", RunManager::kRetryDelayMs));
  } else {
    reactor->Begin();
  }
  return reactor.get();
}

grpc::ServerUnaryReactor* RunService::AnswerOnIoThread(grpc::CallbackServerContext* context,
                                                       std::function<grpc::Status()> work) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  io_.Post([reactor, work = std::move(work)] { reactor->Finish(work()); });
  return reactor;
}

grpc::ServerUnaryReactor* RunService::GetRun(grpc::CallbackServerContext* context,
                                             const v1::GetRunRequest* request, v1::Run* response) {
  if (const grpc::Status status = ValidateRunName(request->name()); !status.ok()) {
    return AnswerNow(context, status);
  }
  return AnswerOnIoThread(context,
                          [this, name = request->name(), response] { return manager_.Get(name, *response); });
}

grpc::ServerUnaryReactor* RunService::CancelRun(grpc::CallbackServerContext* context,
                                                const v1::CancelRunRequest* request, v1::Run* response) {
  if (const grpc::Status status = ValidateRunName(request->name()); !status.ok()) {
    return AnswerNow(context, status);
  }
  return AnswerOnIoThread(
      context, [this, name = request->name(), response] { return manager_.Cancel(name, *response); });
}

grpc::ServerUnaryReactor* RunService::ListRuns(grpc::CallbackServerContext* context,
                                               const v1::ListRunsRequest* request,
                                               v1::ListRunsResponse* response) {
  if (!request->filter().empty()) {
    return AnswerNow(context, RefuseFields(Reason::kFieldNotSupported, {{"filter", "not supported yet"}}));
  }
  if (const grpc::Status status = CheckPageSize(request->page_size()); !status.ok()) {
    return AnswerNow(context, status);
  }
  uint64_t before = 0;
  const std::string& token = request->page_token();
  if (!token.empty()) {
    const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), before);
    if (error != std::errc() || end != token.data() + token.size() || before == 0) {
      return AnswerNow(context, InvalidPageToken());
    }
  }
  return AnswerOnIoThread(context, [this, request, before, response] {
    manager_.List(*request, before, *response);
    return grpc::Status::OK;
  });
}

grpc::ServerUnaryReactor* RunService::ListProfiles(grpc::CallbackServerContext* context,
                                                   const v1::ListProfilesRequest* request,
                                                   v1::ListProfilesResponse* response) {
  if (const grpc::Status status = CheckPageSize(request->page_size()); !status.ok()) {
    return AnswerNow(context, status);
  }
  if (request->page_token().size() > kMaxPageTokenBytes) {
    return AnswerNow(context, InvalidPageToken());
  }
  const auto& entries = catalog_.entries();
  for (auto at = entries.upper_bound(request->page_token()); at != entries.end(); ++at) {
    if (request->page_size() != 0 && response->profiles_size() == request->page_size()) {
      response->set_next_page_token(std::prev(at)->first);
      break;
    }
    *response->add_profiles() = ProfileToProto(at->second);
  }
  return AnswerNow(context, grpc::Status::OK);
}

grpc::ServerUnaryReactor* RunService::GetServerInfo(grpc::CallbackServerContext* context,
                                                    const v1::GetServerInfoRequest* /*request*/,
                                                    v1::ServerInfo* response) {
  return AnswerOnIoThread(context, [this, response] {
    response->set_version(config_.version);
    response->set_api_revision(kApiRevision);
    response->set_max_request_bytes(kMaxRequestBytes);
    for (const char* feature : {"execute", "interact", "terminal", "output_files", "steps", "cancel",
                                "list_runs", "health", "reflection"}) {
      response->add_features(feature);
    }
    manager_.FillInfo(*response);
    return grpc::Status::OK;
  });
}

}  // namespace caisson::dispatcher
