// Runs in the locked stub. Input: the profile's command (trusted) and the client's bundle (hostile).
#include "sandbox/init/exec_image.h"

#include <linux/errno.h>

#include "sandbox/init/text.h"

namespace caisson::init {
namespace {

// Whether both are "NAME=..." with the same NAME.
bool SameVariable(const char* a, const char* b) {
  while (*a != '\0' && *a != '=' && *a == *b) {
    ++a;
    ++b;
  }
  return *a == '=' && *b == '=';
}

}  // namespace

void ExecImage::AddArgument(const char* argument, Progress& progress) {
  if (argc_ + 1 >= sizeof argv_ / sizeof *argv_) {
    progress.Fail(-E2BIG);
  }
  argv_[argc_++] = argument;
}

void ExecImage::AddVariable(const char* variable, Progress& progress) {
  for (uint32_t i = 0; i < envc_; ++i) {
    if (SameVariable(envp_[i], variable)) {
      envp_[i] = variable;
      return;
    }
  }
  if (envc_ + 1 >= sizeof envp_ / sizeof *envp_) {
    progress.Fail(-E2BIG);
  }
  envp_[envc_++] = variable;
}

void ExecImage::Build(PlanReader plan, BundleReader& bundle, Progress& progress) {
  progress.Enter(sandbox::SetupStage::kStubBundle);
  BundleItem entry{};
  bundle.Rewind();
  while (bundle.Next(entry)) {
    if (entry.type == wire::BundleRecord::kMainFile) {
      if (!IsSafeRelativePath(entry.name, entry.name_bytes)) {
        progress.Fail(-EINVAL);
      }
      __builtin_memcpy(main_file_, "/box/", 5);
      __builtin_memcpy(main_file_ + 5, entry.name, entry.name_bytes + 1UL);
    }
  }
  PlanItem item{};
  plan.Rewind();
  while (plan.Next(item)) {
    if (item.type == sandbox::PlanRecord::kArgument) {
      AddArgument(Equal(item.path, "{main}") ? main_file_ : item.path, progress);
    } else if (item.type == sandbox::PlanRecord::kEnvironment) {
      AddVariable(item.path, progress);
    }
  }
  bundle.Rewind();
  while (bundle.Next(entry)) {
    if (entry.type == wire::BundleRecord::kArgument) {
      AddArgument(entry.name, progress);
    } else if (entry.type == wire::BundleRecord::kEnvironment) {
      AddVariable(entry.name, progress);
    }
  }
  if (argc_ == 0) {
    progress.Fail(-EINVAL);
  }
}

}  // namespace caisson::init
