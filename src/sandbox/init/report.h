// How the two processes inside tell what happened: init to caissond over the control socket, the stub to init
// over the error pipe.
#ifndef CAISSON_SANDBOX_INIT_REPORT_H_
#define CAISSON_SANDBOX_INIT_REPORT_H_

#include "sandbox/init/syscall.h"
#include "sandbox/plan.h"

namespace caisson::init {

// Stub → init, one write each.
enum class StubWord : uint32_t {
  kReady = 1,      // locked; waits for go
  kDetached = 2,   // has its own descriptor table; init may close its copies
  kExecuting = 3,  // the next call is execve; `exec_ns` is now
  kFailed = 4,     // `record` says where
};

struct StubReport {
  StubWord word;
  int32_t listener;  // kReady: the notification listener's number in the shared table; -1 without a filter
  int32_t landlock_probe_errno;
  int32_t landlock_control_errno;
  sandbox::SetupRecord record;
  int64_t exec_ns;  // CLOCK_MONOTONIC
};

// init → stub, when a run starts.
struct StubGo {
  int32_t bundle;  // its number in the shared table
  int32_t reserved;
  uint64_t open_files;
  uint64_t file_size_bytes;
  uint64_t stack_bytes;
  uint64_t memory_bytes;
  uint64_t cpu_millis;
};

// The stage a process is in: a failure anywhere below reports it without every helper having to know.
class Progress {
 public:
  enum class Side : uint8_t { kInit, kStub };

  Progress(Side side, int report_fd) : side_(side), report_fd_(report_fd) {}

  void Enter(sandbox::SetupStage stage) {
    stage_ = stage;
    index_ = 0;
  }
  void NextIndex() { ++index_; }

  // Reports {stage, index, errno} and ends this process: nothing untrusted has run, and nothing will.
  [[noreturn]] void Fail(long result) const {
    const sandbox::SetupRecord record{stage_, index_, static_cast<int32_t>(-result)};
    if (side_ == Side::kInit) {
      const sandbox::FailedMessage message{sandbox::kControlMagic, sandbox::ControlType::kFailed, record};
      Write(report_fd_, &message, sizeof message);
    } else {
      const StubReport report{StubWord::kFailed, -1, 0, 0, record, 0};
      Write(report_fd_, &report, sizeof report);
    }
    ExitGroup(1);
  }

  // The result if it is none of the kernel's errors; does not return otherwise.
  long Must(long result) const {
    if (IsError(result)) {
      Fail(result);
    }
    return result;
  }

 private:
  Side side_;
  uint16_t index_ = 0;
  sandbox::SetupStage stage_ = sandbox::SetupStage::kReadPlan;
  int report_fd_;
};

}  // namespace caisson::init

#endif  // CAISSON_SANDBOX_INIT_REPORT_H_
