#include "tls_door/lockdown.h"

#include <array>

#include "common/status.h"
#include "door/door_rules.h"
#include "lockdown/filter_builder.h"
#include "lockdown/landlock.h"
#include "lockdown/unprivileged.h"

namespace caisson::tls_door {
namespace {

using lockdown::FilterBuilder;

constexpr char kIfRoot[] = "root must not run the door; give it a user to become: --user caisson-tls";

}  // namespace

absl::Status LockFiles(int certificates) {
  RETURN_IF_ERROR(lockdown::BecomeUnprivileged(kIfRoot));
  const std::array<lockdown::AllowedDirectory, 1> allowed = {
      {{certificates, "the certificates", lockdown::kFsReadFile | lockdown::kFsReadDirectory}}};
  return lockdown::RestrictSelf(allowed);
}

absl::Status LoadDoorFilter() {
  FilterBuilder filter;
  door::AddDoorRules(filter);
  return filter.Load();
}

absl::Status WriteDoorFilter(int fd) {
  FilterBuilder filter;
  door::AddDoorRules(filter);
  return filter.Write(fd);
}

}  // namespace caisson::tls_door
