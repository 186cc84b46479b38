// The files of one Interact call that come in chunks, between `open` and the submission of its run. Runs in
// caisson-dispatcher on gRPC's threads, one message at a time; every field of every chunk is a client's.
#ifndef CAISSON_DISPATCHER_FILE_UPLOAD_H_
#define CAISSON_DISPATCHER_FILE_UPLOAD_H_

#include <grpcpp/support/status.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "caisson/v1/run.pb.h"
#include "dispatcher/request_bundle.h"
#include "dispatcher/request_validation.h"
#include "dispatcher/upload_budget.h"

namespace caisson::dispatcher {

// Content goes into the run's bundle as it comes and is held nowhere else.
class FileUpload {
 public:
  static constexpr size_t kMaxChunkBytes = 1024UL * 1024;

  // `request` was validated as `valid`, with so many `files` to follow: at least one. `share` holds the
  // request and takes what comes. An error is the host's lack of memory or descriptors.
  static absl::StatusOr<std::unique_ptr<FileUpload>> Create(v1::ExecuteRequest request, ValidRequest valid,
                                                            uint32_t files, UploadBudget::Share share);

  // What there is no room for in the budget of all uploads.
  static grpc::Status RefuseMore();

  // The next message after `open`. OK, or the refusal with which the call ends.
  grpc::Status Add(const v1::InteractRequest& message);
  bool complete() const { return files_left_ == 0; }

  struct Result {
    v1::ExecuteRequest request;
    ValidRequest valid;
    RequestBundles bundles;
    UploadBudget::Share share;
  };
  // Once complete. OK and `result` filled, or the refusal. The upload is spent.
  grpc::Status Finish(uint64_t memory_budget_bytes, Result& result);

 private:
  FileUpload(v1::ExecuteRequest request, ValidRequest valid, uint32_t files, UploadBudget::Share share,
             RequestBundleWriter writer);
  grpc::Status CheckPlace(const v1::InteractRequest& message) const;
  grpc::Status CheckChunk(const v1::InteractRequest::FileChunk& chunk) const;
  grpc::Status CheckPath(const std::string& path) const;
  grpc::Status CheckRoom() const;
  grpc::Status BeginFile(const std::string& path);
  std::vector<FileSize> Sizes() const;

  v1::ExecuteRequest request_;
  ValidRequest valid_;
  const uint32_t files_;
  uint32_t files_left_;
  UploadBudget::Share share_;
  RequestBundleWriter writer_;
  struct File {
    std::string path;
    uint64_t bytes = 0;
  };
  std::vector<File> known_;  // those of the request, then the uploaded ones; the last may be incomplete
  uint64_t total_bytes_ = 0;
  bool in_file_ = false;
  bool executable_ = false;  // the incomplete one
};

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_FILE_UPLOAD_H_
