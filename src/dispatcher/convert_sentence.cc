// The sentence of a result: what ended the run, in plain words. Nothing of the client's is in it.
#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <system_error>
#include <utility>

#include "dispatcher/convert.h"
#include "policy/filter_compiler.h"
#include "policy/limits.h"
#include "sandbox/setup_stage.h"

namespace caisson::dispatcher {
namespace {

// The largest unit that divides `value` without a rest keeps the sentence exact: 256 MiB, 1500 ms, 1000001
// bytes.
std::string Bytes(uint64_t value) {
  constexpr std::array kUnits = {std::pair{uint64_t{1} << 30U, " GiB"}, std::pair{uint64_t{1} << 20U, " MiB"},
                                 std::pair{uint64_t{1} << 10U, " KiB"}};
  for (const auto& [unit, name] : kUnits) {
    if (value != 0 && value % unit == 0) {
      return std::to_string(value / unit) + name;
    }
  }
  return std::to_string(value) + " bytes";
}

std::string Millis(uint64_t value) {
  return value != 0 && value % 1000 == 0 ? std::to_string(value / 1000) + " s"
                                         : std::to_string(value) + " ms";
}

std::string SignalText(int32_t number) {
  const char* name = sigabbrev_np(number);
  return "signal " + std::to_string(number) + (name == nullptr ? "" : " (SIG" + std::string(name) + ")");
}

std::string CanceledText(const StepOutcome& outcome) {
  if (outcome.finished.ended_by == ipc::Actor::kOperator) {
    return "Canceled: the service was shut down.";
  }
  if (!outcome.cancel_reason.has_value()) {
    return "Canceled.";
  }
  switch (*outcome.cancel_reason) {
    case ipc::CancelReason::kClient:
      return "Canceled: the client asked for it.";
    case ipc::CancelReason::kDisconnected:
      return "Canceled: the client went away.";
    case ipc::CancelReason::kDeadline:
      return "Canceled: the call's deadline passed.";
    case ipc::CancelReason::kOutputLimit:
    case ipc::CancelReason::kShutdown:
      return "Canceled: the service ended it.";
  }
  return "Canceled.";
}

std::string ViolationText(const ipc::Finished& finished) {
  if (finished.limit == ipc::LimitName::kDenialRate) {
    return "it made more than " + std::to_string(finished.limit_value) + " refused system calls a second";
  }
  if (finished.violation_syscall >= 0) {
    return "it made the forbidden system call " + policy::SyscallName(finished.violation_syscall);
  }
  return "it made a forbidden system call";
}

// What stopped a step, without a subject's name; empty where nothing did.
std::string StopText(const ipc::Finished& finished) {
  switch (finished.verdict) {
    case ipc::Verdict::kWallTimeLimit:
      return "it ran longer than its " + Millis(finished.limit_value);
    case ipc::Verdict::kCpuTimeLimit:
      return "it used all of its " + Millis(finished.limit_value) + " of CPU time";
    case ipc::Verdict::kMemoryLimit:
      if (finished.limit == ipc::LimitName::kSockets) {
        return "it had more than " + std::to_string(finished.limit_value) +
               " sockets, those among them that no program holds any more or yet";
      }
      return "it used all of its " + Bytes(finished.limit_value) + " of memory";
    case ipc::Verdict::kOutputLimit:
      return "it wrote more than its " + Bytes(finished.limit_value) + " of output to one stream";
    case ipc::Verdict::kSyscallViolation:
      return ViolationText(finished);
    default:
      return "";
  }
}

std::string CompileText(const StepOutcome& outcome) {
  const ipc::Finished& finished = outcome.finished;
  std::string reason;
  if (!outcome.problem.empty()) {
    reason = outcome.problem;
  } else if (const std::string stop = StopText(finished); !stop.empty()) {
    reason = "the compiler was stopped, " + stop;
  } else if (finished.term_signal != 0) {
    reason = "the compiler was ended by " + SignalText(finished.term_signal);
  } else if (finished.exited != 0) {
    reason = "the compiler exited with code " + std::to_string(finished.exit_code);
  }
  return "The program did not compile" + (reason.empty() ? "" : ": " + reason) + ".";
}

// The supervisor found that it is not the sandbox that is at fault.
std::string ClientsFaultText(const ipc::SetupError& error) {
  if (error.stage == static_cast<uint32_t>(sandbox::SetupStage::kStubFiles)) {
    return "The files of the request do not fit into the run's disk limit, and nothing ran.";
  }
  if (error.error_number == E2BIG) {
    return "The kernel could not execute the program: its arguments and environment are too large together; "
           "nothing ran.";
  }
  std::string text =
      "The kernel could not execute the main file: " + std::generic_category().message(error.error_number);
  switch (error.error_number) {
    case ENOEXEC:
      text += " (it is neither an x86-64 ELF program nor a script that begins with #!)";
      break;
    case ENOENT:
    case ENOTDIR:
      text += " (the interpreter that it names is not there)";
      break;
    case EACCES:
      text += " (it, or the interpreter that it names, may not be executed)";
      break;
    default:
      break;
  }
  return text + "; nothing ran.";
}

std::string SetupText(const StepOutcome& outcome) {
  if (outcome.finished.ended_by == ipc::Actor::kClient) {
    return ClientsFaultText(outcome.finished.error);
  }
  std::string text = "The sandbox could not be built, and nothing of the program ran";
  const ipc::SetupError& error = outcome.finished.error;
  const std::string stage = error.stage == 0 ? "" : sandbox::SetupStageText(error.stage);
  if (!stage.empty()) {
    text += ": " + stage;
  }
  if (!outcome.detail.empty() && outcome.detail != stage) {
    text += ": " + outcome.detail;
  } else if (error.error_number != 0) {
    text += ": " + std::generic_category().message(error.error_number);
  }
  return text + ".";
}

}  // namespace

std::string LimitFieldName(ipc::LimitName limit) {
  constexpr std::array kNames = {"",
                                 "wall_time_ms",
                                 "cpu_time_ms",
                                 "memory_bytes",
                                 "pids",
                                 "output_bytes",
                                 "disk_bytes",
                                 "inode_count",
                                 "open_files",
                                 "file_size_bytes",
                                 "stack_bytes",
                                 "cpu_millis",
                                 "denial_rate",
                                 "sockets"};
  const auto index = static_cast<size_t>(limit);
  return index < kNames.size() ? kNames.at(index) : "";
}

std::string OutcomeSentence(const StepOutcome& outcome) {
  const ipc::Finished& finished = outcome.finished;
  if (EndsAsCompileFailed(outcome)) {
    return CompileText(outcome);
  }
  switch (finished.verdict) {
    case ipc::Verdict::kCompleted:
      return "The program exited with code " + std::to_string(finished.exit_code) + ".";
    case ipc::Verdict::kSignaled:
      return "The program was ended by " + SignalText(finished.term_signal) + ".";
    case ipc::Verdict::kWallTimeLimit:
    case ipc::Verdict::kCpuTimeLimit:
    case ipc::Verdict::kMemoryLimit:
    case ipc::Verdict::kOutputLimit:
    case ipc::Verdict::kSyscallViolation:
      return "Stopped: " + StopText(finished) + ".";
    case ipc::Verdict::kCanceled:
      return CanceledText(outcome);
    case ipc::Verdict::kCompileFailed:
      return CompileText(outcome);
    case ipc::Verdict::kSandboxSetupFailed:
      return SetupText(outcome);
    case ipc::Verdict::kServiceFailed:
      return "Caisson failed, which is no fault of the program" +
             (outcome.detail.empty() ? std::string() : ": " + outcome.detail) + ".";
  }
  return "";
}

}  // namespace caisson::dispatcher
