// Tenants' policies and tokens, as caissond reads them at start and at each reload: checked as a whole,
// packed for the dispatcher, which decides by them. caissond itself enforces none: it does not know tenants.
#ifndef CAISSON_ORCHESTRATOR_TENANT_FILES_H_
#define CAISSON_ORCHESTRATOR_TENANT_FILES_H_

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"
#include "common/unique_fd.h"
#include "ipc/messages.h"
#include "orchestrator/config.h"
#include "orchestrator/dispatcher_link.h"

namespace caisson::orchestrator {

class TenantFiles {
 public:
  // Reads the files of `tenants_dir` and `tokens_file`; none where it is empty. kInvalidArgument with every
  // fault, one a line, if the files have any, or a tenant of a listener or a token, or `default`, has no
  // file.
  static absl::StatusOr<TenantFiles> Load(const Config& config);

  // Whether both hold the same, byte for byte; an error of reading is a difference.
  bool SameAs(const TenantFiles& other) const;
  // A copy for one dispatcher.
  absl::StatusOr<DispatcherLink::Handed> ForDispatcher() const;
  // "3 policies, sha256:...; 2 tokens"; for the log.
  const std::string& summary() const { return summary_; }

 private:
  TenantFiles() = default;

  ipc::Policy message_{};
  UniqueFd packed_;
  std::string summary_;
};

}  // namespace caisson::orchestrator

#endif  // CAISSON_ORCHESTRATOR_TENANT_FILES_H_
