#include "dispatcher/request_intake.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <grpcpp/impl/codegen/proto_utils.h>
#include <spdlog/spdlog.h>

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "common/clock.h"
#include "common/status.h"
#include "dispatcher/errors.h"
#include "dispatcher/field_count.h"
#include "dispatcher/file_digest.h"
#include "dispatcher/request_bundle.h"
#include "dispatcher/run_manager.h"
#include "dispatcher/undecodable_fields.h"

namespace caisson::dispatcher {
namespace {

constexpr size_t kMaxTermBytes = 64;
constexpr char kDefaultTerm[] = "xterm-256color";
constexpr uint32_t kDefaultRows = 24;
constexpr uint32_t kDefaultColumns = 80;

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

// The same for every way in which a client may have written the same request: fields and entries of maps have
// no order of their own on the wire.
std::string DigestOfBody(const v1::ExecuteRequest& request) {
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream out(&stream);
    out.SetSerializationDeterministic(true);
    request.SerializeToCodedStream(&out);
  }
  FileDigest digest;
  digest.Add(std::as_bytes(std::span(bytes)));
  return digest.Finish();
}

grpc::Status CannotStore(const absl::Status& status) {
  spdlog::error("{}", Message(status));
  return RefuseQuota(Reason::kQueueFull, "the request cannot be stored now", "memory",
                     RunManager::kRetryDelayMs);
}

void FillSpec(v1::ExecuteRequest& request, ValidRequest& valid, RequestBundles bundles, RunSpec& spec) {
  const policy::Profile& profile = valid.entry->profile;
  spec.id = NewRunId();
  spec.profile = profile.name;
  spec.priority = request.priority();
  if (spec.policy != nullptr) {
    spec.decision = MakeDecision(*spec.policy, spec.policy->profiles_rule);
    LogAllowed(*spec.policy, spec.decision, RunName(spec.id));
  }
  spec.limits = valid.limits;
  spec.overflow = valid.overflow;
  spec.labels = std::move(valid.labels);
  spec.bundle = std::move(bundles.first);
  if (profile.compile.has_value()) {
    spec.compile = CompileSpec{profile.compile->limits.defaults, std::move(bundles.second)};
  }
  spec.memory_bytes = valid.memory_bytes;
  spec.bundle_bytes = valid.bundle_bytes;
  spec.collects = !request.output_paths().empty();
  spec.request_bytes = request.ByteSizeLong();
  spec.input.stdin_data = std::move(*request.mutable_stdin());
}

}  // namespace

grpc::Status RequestIntake::Decode(const grpc::ByteBuffer& request, RunSpec& spec,
                                   RequestIdUse request_id) const {
  const google::protobuf::Descriptor& type = *v1::ExecuteRequest::descriptor();
  if (HasTooManyFields(type, request)) {
    return RefuseFields(
        Reason::kInvalidRequest,
        {{std::string(type.name()), "has more than " + std::to_string(kMaxFields) + " fields"}});
  }
  v1::ExecuteRequest message;
  {
    grpc::ByteBuffer copy(request);  // shares the bytes; deserializing empties it
    if (!grpc::SerializationTraits<v1::ExecuteRequest>::Deserialize(&copy, &message).ok()) {
      return RefuseFields(Reason::kInvalidRequest, FindUndecodableFields(type, request));
    }
  }
  return Accept(message, spec, request_id);
}

grpc::Status RequestIntake::Accept(v1::ExecuteRequest& request, RunSpec& spec,
                                   RequestIdUse request_id) const {
  ValidRequest valid;
  if (grpc::Status status =
          ValidateExecute(request, catalog_, memory_budget_bytes_, valid, 0, spec.policy.get(), request_id);
      !status.ok()) {
    return status;
  }
  spec.request_id = request.request_id();
  if (!spec.request_id.empty()) {
    spec.request_digest = DigestOfBody(request);
  }
  absl::StatusOr<RequestBundles> bundles = MakeBundles(request, valid.main_file, valid.entry->profile);
  if (!bundles.ok()) {
    return CannotStore(bundles.status());
  }
  FillSpec(request, valid, std::move(*bundles), spec);
  return grpc::Status::OK;
}

grpc::Status RequestIntake::Open(v1::InteractRequest::Open& open, RunSpec& spec,
                                 std::unique_ptr<FileUpload>& upload) const {
  std::vector<FieldViolation> violations;
  spec.input.interactive = true;
  if (open.has_terminal()) {
    spec.input.terminal = ReadTerminal(open.terminal(), violations);
    const CatalogEntry* entry = catalog_.Find(open.request().profile());
    if (entry != nullptr && !entry->profile.interactive) {
      violations.push_back({"terminal", "the profile " + entry->profile.name + " offers none"});
    }
    const std::string& term = open.terminal().term();
    // The request's own TERM is stronger: it is the more particular wish.
    open.mutable_request()->mutable_env()->insert({"TERM", term.empty() ? kDefaultTerm : term});
  }
  if (!violations.empty()) {
    return RefuseFields(Reason::kInvalidRequest, violations);
  }
  if (open.files_to_follow() == 0) {
    return Accept(*open.mutable_request(), spec);
  }
  ValidRequest valid;
  if (grpc::Status status = ValidateExecute(open.request(), catalog_, memory_budget_bytes_, valid,
                                            open.files_to_follow(), spec.policy.get());
      !status.ok()) {
    return status;
  }
  // The request waits as long as its files do, in memory that no queue counts.
  UploadBudget::Share share = uploads_.Open();
  if (!share.Take(open.request().ByteSizeLong())) {
    return FileUpload::RefuseMore();
  }
  absl::StatusOr<std::unique_ptr<FileUpload>> created = FileUpload::Create(
      std::move(*open.mutable_request()), std::move(valid), open.files_to_follow(), std::move(share));
  if (!created.ok()) {
    return CannotStore(created.status());
  }
  upload = std::move(*created);
  return grpc::Status::OK;
}

grpc::Status RequestIntake::FinishUpload(FileUpload& upload, RunSpec& spec) const {
  FileUpload::Result result;
  if (grpc::Status status = upload.Finish(memory_budget_bytes_, result); !status.ok()) {
    return status;
  }
  FillSpec(result.request, result.valid, std::move(result.bundles), spec);
  spec.upload = std::move(result.share);
  return grpc::Status::OK;
}

grpc::Status InteractOpening::Take(v1::InteractRequest& message, RunSpec& spec, bool& complete) {
  complete = false;
  grpc::Status status;
  if (upload_ != nullptr) {
    status = upload_->Add(message);
    if (status.ok() && !upload_->complete()) {
      return status;
    }
    if (status.ok()) {
      status = intake_.FinishUpload(*upload_, opened_);
    }
    upload_.reset();
  } else if (!message.has_open()) {
    status = Refuse(Reason::kInputOutOfOrder, "the first message must be open");
  } else {
    status = intake_.Open(*message.mutable_open(), opened_, upload_);
  }
  if (status.ok() && upload_ == nullptr) {
    complete = true;
    spec = std::move(opened_);
    spec.received_ns = MonotonicNanos();
  }
  return status;
}

}  // namespace caisson::dispatcher
