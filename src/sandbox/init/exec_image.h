// argv and envp of the payload: the profile's command and environment with the client's arguments and
// variables.
#ifndef CAISSON_SANDBOX_INIT_EXEC_IMAGE_H_
#define CAISSON_SANDBOX_INIT_EXEC_IMAGE_H_

#include "sandbox/init/bundle_reader.h"
#include "sandbox/init/plan_reader.h"
#include "sandbox/init/report.h"
#include "sandbox/init/text.h"

namespace caisson::init {

// What limit hints are made from.
struct HintedLimits {
  uint64_t memory_bytes;
  uint64_t cpu_millis;
};

// Points into the plan and the bundle; holds no copies but the absolute paths of the main file and the
// sources, and the limit hints.
class ExecImage {
 public:
  // The profile's command with "{main}" replaced by /box/<main file>, "{main_class}" by the main file's path
  // without its extension and with dots for slashes, and "{sources}" by one path for each source, then the
  // client's arguments; the profile's environment, in which a client's variable replaces the one of the same
  // name. More words than there is room for: E2BIG.
  void Build(PlanReader plan, BundleReader& bundle, const HintedLimits& limits, Progress& progress);

  const char* path() const { return argv_[0]; }
  // Whether what is executed is the client's own file: then it is the client's fault if the kernel cannot.
  bool is_clients_file() const { return argv_[0] == main_file_; }
  const char* const* argv() const { return argv_; }
  const char* const* envp() const { return envp_; }

 private:
  static constexpr uint32_t kMaxCommand = 64;
  static constexpr uint32_t kMaxProfileEnv = 128;

  void AddArgument(const char* argument, Progress& progress);
  void AddVariable(const char* variable, Progress& progress);
  void AddSources(BundleReader& bundle, Progress& progress);
  void SetMainClass();
  void AddHint(const PlanItem& item, const HintedLimits& limits, Progress& progress);

  uint32_t argc_ = 0;
  uint32_t envc_ = 0;
  const char* argv_[wire::kMaxArgs + kMaxCommand + 1] = {};
  const char* envp_[wire::kMaxEnv + kMaxProfileEnv + 1] = {};
  uint32_t hints_ = 0;
  char main_file_[sizeof "/box/" + wire::kMaxPathBytes] = {};
  char main_class_[wire::kMaxPathBytes + 1] = {};
  FixedText<sandbox::kMaxLimitHintBytes> hint_texts_[sandbox::kMaxLimitHints];
};

}  // namespace caisson::init

#endif  // CAISSON_SANDBOX_INIT_EXEC_IMAGE_H_
