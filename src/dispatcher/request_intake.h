// From a client's bytes to a run that can be submitted: decodes, validates, writes the bundles. Runs in
// caisson-dispatcher on gRPC's threads; everything it reads is untrusted. Thread-safe.
#ifndef CAISSON_DISPATCHER_REQUEST_INTAKE_H_
#define CAISSON_DISPATCHER_REQUEST_INTAKE_H_

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/status.h>

#include <cstdint>
#include <memory>

#include "caisson/v1/run.pb.h"
#include "dispatcher/file_upload.h"
#include "dispatcher/profile_catalog.h"
#include "dispatcher/request_validation.h"
#include "dispatcher/run.h"
#include "dispatcher/upload_budget.h"

namespace caisson::dispatcher {

class RequestIntake {
 public:
  // `catalog` outlives it.
  RequestIntake(const ProfileCatalog& catalog, uint64_t memory_budget_bytes, uint64_t upload_budget_bytes)
      : catalog_(catalog), memory_budget_bytes_(memory_budget_bytes), uploads_(upload_budget_bytes) {}

  // Each: a status that refuses, or OK and `spec` filled, whose tenant and policy the caller has set.
  grpc::Status Decode(const grpc::ByteBuffer& request, RunSpec& spec,
                      RequestIdUse request_id = RequestIdUse::kRefused) const;
  grpc::Status Accept(v1::ExecuteRequest& request, RunSpec& spec,
                      RequestIdUse request_id = RequestIdUse::kRefused) const;
  // With `upload` set, its files come first, and then FinishUpload.
  grpc::Status Open(v1::InteractRequest::Open& open, RunSpec& spec,
                    std::unique_ptr<FileUpload>& upload) const;
  grpc::Status FinishUpload(FileUpload& upload, RunSpec& spec) const;

  // Held by all uploads now.
  uint64_t upload_bytes() const { return uploads_.used_bytes(); }

 private:
  const ProfileCatalog& catalog_;
  const uint64_t memory_budget_bytes_;
  const UploadBudget uploads_;
};

// The messages of one Interact call until its run can be submitted. One at a time.
class InteractOpening {
 public:
  // `spec` has what is known of the run before its first message: whose it is.
  InteractOpening(const RequestIntake& intake, RunSpec spec) : intake_(intake), opened_(std::move(spec)) {}

  // OK, or the refusal with which the call ends. `complete`: `spec` is filled; otherwise more is to come.
  grpc::Status Take(v1::InteractRequest& message, RunSpec& spec, bool& complete);

 private:
  const RequestIntake& intake_;
  RunSpec opened_;
  std::unique_ptr<FileUpload> upload_;
};

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_REQUEST_INTAKE_H_
