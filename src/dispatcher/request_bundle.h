// Turns a validated request's content into the bundles that travel to the stub: one, or what is known of two
// where there is a compile step. Runs in caisson-dispatcher on gRPC's threads, over client data.
#ifndef CAISSON_DISPATCHER_REQUEST_BUNDLE_H_
#define CAISSON_DISPATCHER_REQUEST_BUNDLE_H_

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "caisson/v1/run.pb.h"
#include "common/unique_fd.h"
#include "dispatcher/run_bundle.h"
#include "ipc/bundle_writer.h"
#include "policy/profile.h"

namespace caisson::dispatcher {

struct RequestBundles {
  UniqueFd first;                     // sealed: of the only step, or of the compile step
  std::unique_ptr<RunBundle> second;  // of the run step after a compile step; else null
};

// The files first, as they come, whole or in pieces; then the rest of the request. What is written is in the
// memfd and nowhere else.
class RequestBundleWriter {
 public:
  // `profile` outlives the writer. `main_file`: empty if it is the only file.
  static absl::StatusOr<RequestBundleWriter> Create(const policy::Profile& profile, std::string main_file);

  absl::Status AddFiles(const v1::ExecuteRequest& request);
  absl::Status BeginFile(std::string_view path) { return writer_.BeginFile(path); }
  absl::Status AppendToFile(std::string_view content) { return writer_.AppendToFile(content); }
  absl::Status EndFile(std::string_view path, bool executable) {
    return writer_.EndFile(ModeOf(path, executable));
  }

  // Everything else of `request`. The writer is spent afterwards.
  absl::StatusOr<RequestBundles> Finish(const v1::ExecuteRequest& request);

 private:
  RequestBundleWriter(ipc::BundleWriter writer, const policy::Profile& profile, std::string main_file)
      : writer_(std::move(writer)), profile_(&profile), main_file_(std::move(main_file)) {}
  ipc::FileMode ModeOf(std::string_view path, bool executable) const;
  absl::Status AddCompileStep(const v1::ExecuteRequest& request);

  ipc::BundleWriter writer_;
  const policy::Profile* profile_;
  std::string main_file_;
};

absl::StatusOr<RequestBundles> MakeBundles(const v1::ExecuteRequest& request, const std::string& main_file,
                                           const policy::Profile& profile);

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_REQUEST_BUNDLE_H_
