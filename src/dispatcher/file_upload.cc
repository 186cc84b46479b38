#include "dispatcher/file_upload.h"

#include <spdlog/spdlog.h>

#include <utility>

#include "common/status.h"
#include "dispatcher/errors.h"
#include "dispatcher/file_paths.h"
#include "dispatcher/files_room.h"

namespace caisson::dispatcher {
namespace {

constexpr int64_t kRetryDelayMs = 1'000;

grpc::Status Invalid(const std::string& field, const std::string& description) {
  return RefuseFields(Reason::kInvalidRequest, {{field, description}});
}

grpc::Status OutOfOrder(const std::string& field, const std::string& description) {
  return RefuseFields(Reason::kInputOutOfOrder, {{field, description}});
}

grpc::Status CannotStore(const absl::Status& status) {
  spdlog::error("an upload cannot be stored: {}", Message(status));
  return RefuseQuota(Reason::kQueueFull, "the files cannot be stored now", "memory", kRetryDelayMs);
}

}  // namespace

absl::StatusOr<std::unique_ptr<FileUpload>> FileUpload::Create(v1::ExecuteRequest request, ValidRequest valid,
                                                               uint32_t files, UploadBudget::Share share) {
  ASSIGN_OR_RETURN(RequestBundleWriter writer,
                   RequestBundleWriter::Create(valid.entry->profile, valid.main_file));
  RETURN_IF_ERROR(writer.AddFiles(request));
  return std::unique_ptr<FileUpload>(
      new FileUpload(std::move(request), std::move(valid), files, std::move(share), std::move(writer)));
}

FileUpload::FileUpload(v1::ExecuteRequest request, ValidRequest valid, uint32_t files,
                       UploadBudget::Share share, RequestBundleWriter writer)
    : request_(std::move(request)),
      valid_(std::move(valid)),
      files_(files),
      files_left_(files),
      share_(std::move(share)),
      writer_(std::move(writer)) {
  for (const v1::InputFile& file : request_.files()) {
    known_.push_back({file.path(), file.content().size()});
    total_bytes_ += file.content().size();
  }
  // They are in the bundle. A swap, because clear_files() keeps their memory for the next ones.
  google::protobuf::RepeatedPtrField<v1::InputFile>().Swap(request_.mutable_files());
}

grpc::Status FileUpload::RefuseMore() {
  return RefuseQuota(Reason::kQueueFull, "the uploads under way are too large together", "uploads",
                     kRetryDelayMs);
}

std::vector<FileSize> FileUpload::Sizes() const {
  std::vector<FileSize> sizes;
  sizes.reserve(known_.size());
  for (const File& file : known_) {
    sizes.push_back({file.path, file.bytes});
  }
  return sizes;
}

grpc::Status FileUpload::CheckPlace(const v1::InteractRequest& message) const {
  if (message.has_file()) {
    if (in_file_ && message.file().path() != known_.back().path) {
      return OutOfOrder("file.path", "began before " + Quoted(known_.back().path) + " was complete");
    }
    return grpc::Status::OK;
  }
  if (message.has_open()) {
    return OutOfOrder("open", "came a second time");
  }
  const auto* field = v1::InteractRequest::descriptor()->FindFieldByNumber(message.message_case());
  if (field == nullptr) {
    return OutOfOrder("message", "without content, or with a field this server does not know");
  }
  return OutOfOrder(field->name(),
                    "came before the files were complete: " + std::to_string(files_ - files_left_) + " of " +
                        std::to_string(files_) + " are");
}

grpc::Status FileUpload::CheckChunk(const v1::InteractRequest::FileChunk& chunk) const {
  if (chunk.data().size() > kMaxChunkBytes) {
    return Invalid("file.data", "at most " + std::to_string(kMaxChunkBytes) + " bytes");
  }
  if (chunk.data().empty() && !chunk.last()) {
    return Invalid("file.data", "must not be empty, but in a file's last chunk");
  }
  if (chunk.data().size() > kMaxUploadBytes - total_bytes_) {
    return Refuse(Reason::kRequestTooLarge,
                  "the files together have more than " + std::to_string(kMaxUploadBytes) + " bytes",
                  {{"limit_bytes", std::to_string(kMaxUploadBytes)}});
  }
  return grpc::Status::OK;
}

// The paths before it were in order, so whatever is wrong is about this one.
grpc::Status FileUpload::CheckPath(const std::string& path) const {
  std::vector<std::string_view> paths;
  paths.reserve(known_.size() + 1);
  for (const File& file : known_) {
    paths.emplace_back(file.path);
  }
  paths.emplace_back(path);
  const std::vector<FieldViolation> violations = CheckFilePaths(paths);
  if (violations.empty()) {
    return grpc::Status::OK;
  }
  const FieldViolation& first = violations.front();
  const bool is_this = first.field == "files[" + std::to_string(known_.size()) + "].path";
  return Invalid("file.path", is_this ? first.description : first.field + " " + first.description);
}

// Early: nobody should send 256 MiB to learn that 64 are allowed.
grpc::Status FileUpload::CheckRoom() const {
  if (total_bytes_ <= valid_.limits.Get(policy::LimitId::kDiskBytes)) {
    return grpc::Status::OK;
  }
  return RefuseFields(Reason::kInvalidRequest, CheckFilesRoom(Sizes(), valid_.limits));
}

grpc::Status FileUpload::BeginFile(const std::string& path) {
  if (grpc::Status refusal = CheckPath(path); !refusal.ok()) {
    return refusal;
  }
  if (const absl::Status begun = writer_.BeginFile(path); !begun.ok()) {
    return CannotStore(begun);
  }
  known_.push_back({path, 0});
  in_file_ = true;
  executable_ = false;
  return grpc::Status::OK;
}

grpc::Status FileUpload::Add(const v1::InteractRequest& message) {
  CAISSON_CHECK(!complete());
  if (grpc::Status refusal = CheckPlace(message); !refusal.ok()) {
    return refusal;
  }
  const v1::InteractRequest::FileChunk& chunk = message.file();
  if (grpc::Status refusal = CheckChunk(chunk); !refusal.ok()) {
    return refusal;
  }
  if (!in_file_) {
    if (grpc::Status refusal = BeginFile(chunk.path()); !refusal.ok()) {
      return refusal;
    }
  }
  if (!share_.Take(chunk.data().size())) {
    return RefuseMore();
  }
  total_bytes_ += chunk.data().size();
  known_.back().bytes += chunk.data().size();
  executable_ = executable_ || chunk.executable();
  if (grpc::Status refusal = CheckRoom(); !refusal.ok()) {
    return refusal;
  }
  absl::Status stored = writer_.AppendToFile(chunk.data());
  if (stored.ok() && chunk.last()) {
    stored = writer_.EndFile(known_.back().path, executable_);
    in_file_ = false;
    --files_left_;
  }
  return stored.ok() ? grpc::Status::OK : CannotStore(stored);
}

grpc::Status FileUpload::Finish(uint64_t memory_budget_bytes, Result& result) {
  CAISSON_CHECK(complete());
  if (grpc::Status refusal = CheckUploaded(request_, Sizes(), memory_budget_bytes, valid_); !refusal.ok()) {
    return refusal;
  }
  absl::StatusOr<RequestBundles> bundles = writer_.Finish(request_);
  if (!bundles.ok()) {
    return CannotStore(bundles.status());
  }
  result = {std::move(request_), std::move(valid_), std::move(*bundles), std::move(share_)};
  return grpc::Status::OK;
}

}  // namespace caisson::dispatcher
