#include "policy/filter_compiler.h"

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <openssl/sha.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <map>
#include <memory>
#include <utility>

#include "common/status.h"
#include "common/unique_fd.h"
#include "policy/syscall_rules.h"

namespace caisson::policy {
namespace {

constexpr uint32_t kX32Bit = 0x40000000U;
constexpr uint32_t kBinaryTree =
    2;  // SCMP_FLTATR_CTL_OPTIMIZE: a handful of comparisons a call, not hundreds
constexpr uint8_t kAnswerKill = 255;
// Stands for the default action until AppendRefusals: no rule answers with it. Were it left in, the kernel
// would refuse with ENOSYS, since nobody traces.
constexpr uint32_t kRefusalMark = SCMP_ACT_TRACE(0x7fffU);
constexpr auto kForeignCalls =
    std::to_array<std::pair<int, const char*>>({{kI386Call, "i386_syscall"}, {kX32Call, "x32_syscall"}});

using SeccompContext = std::unique_ptr<void, void (*)(scmp_filter_ctx)>;

absl::Status SeccompError(int result, const std::string& what) { return ErrnoStatus(-result, what); }

sock_filter Statement(uint16_t code, uint32_t k) { return {code, 0, 0, k}; }

sock_filter Jump(uint16_t code, uint32_t k, uint8_t if_true, uint8_t if_false) {
  return {code, if_true, if_false, k};
}

// Our own words before libseccomp's: they hold whatever its version thinks of foreign architectures and new
// numbers. A foreign call is reported, then it ends the run; without anybody to report to it fails. Where
// init lets notified calls go on, the kernel ends it.
std::vector<sock_filter> Prologue(bool observes) {
  const uint32_t foreign = observes ? SECCOMP_RET_KILL_PROCESS : SECCOMP_RET_USER_NOTIF;
  constexpr auto kLoad = static_cast<uint16_t>(BPF_LD | BPF_W | BPF_ABS);
  constexpr auto kEqual = static_cast<uint16_t>(BPF_JMP | BPF_JEQ | BPF_K);
  constexpr auto kHasBit = static_cast<uint16_t>(BPF_JMP | BPF_JSET | BPF_K);
  constexpr auto kGreater = static_cast<uint16_t>(BPF_JMP | BPF_JGT | BPF_K);
  constexpr auto kReturn = static_cast<uint16_t>(BPF_RET | BPF_K);
  return {
      Statement(kLoad, offsetof(seccomp_data, arch)),
      Jump(kEqual, AUDIT_ARCH_X86_64, 1, 0),
      Statement(kReturn, foreign),
      Statement(kLoad, offsetof(seccomp_data, nr)),
      Jump(kHasBit, kX32Bit, 0, 1),
      Statement(kReturn, foreign),
      Jump(kGreater, static_cast<uint32_t>(NewestKnownSyscall()), 0, 1),
      Statement(kReturn, SECCOMP_RET_ERRNO | static_cast<uint32_t>(ENOSYS)),
  };
}

bool Observes(const SyscallFilter& filter) {
  return std::any_of(filter.rules.begin(), filter.rules.end(),
                     [](const SyscallRule& rule) { return rule.action == SyscallAction::kObserve; });
}

bool IsRefusal(const SyscallRule& rule) {
  return rule.action == SyscallAction::kDeny || rule.action == SyscallAction::kKill;
}

uint32_t ActionOf(const SyscallRule& rule) {
  switch (rule.action) {
    case SyscallAction::kAllow:
      return SCMP_ACT_ALLOW;
    case SyscallAction::kObserve:
    case SyscallAction::kCount:
      return SCMP_ACT_NOTIFY;
    default:
      // An errno of 0 is the kernel's way to answer success without making the call.
      return SCMP_ACT_ERRNO(static_cast<uint32_t>(rule.errno_value));
  }
}

// In place of the default action, which must be one word: what the kernel answers to calls that no rule lets
// through, each with the error its profile says.
void AppendRefusals(const SyscallFilter& filter, std::vector<sock_filter>& program) {
  constexpr auto kReturn = static_cast<uint16_t>(BPF_RET | BPF_K);
  const size_t refusals = program.size();
  program.push_back(Statement(static_cast<uint16_t>(BPF_LD | BPF_W | BPF_ABS), offsetof(seccomp_data, nr)));
  for (const SyscallRule& rule : filter.rules) {
    if (rule.action == SyscallAction::kDeny && rule.errno_value != 0) {
      program.push_back(Jump(static_cast<uint16_t>(BPF_JMP | BPF_JEQ | BPF_K),
                             static_cast<uint32_t>(*SyscallNumber(rule.syscall)), 0, 1));
      program.push_back(Statement(kReturn, SECCOMP_RET_ERRNO | static_cast<uint32_t>(rule.errno_value)));
    }
  }
  program.push_back(Statement(kReturn, SECCOMP_RET_ERRNO | static_cast<uint32_t>(EPERM)));
  for (size_t at = 0; at < refusals; ++at) {
    if (program[at].code == kReturn && program[at].k == kRefusalMark) {
      program[at] =
          Statement(static_cast<uint16_t>(BPF_JMP | BPF_JA), static_cast<uint32_t>(refusals - at - 1));
    }
  }
}

absl::Status AddRule(const SeccompContext& context, const SyscallRule& rule) {
  std::vector<scmp_arg_cmp> comparisons;
  for (const ArgumentCondition& condition : rule.conditions) {
    comparisons.push_back({condition.index, SCMP_CMP_MASKED_EQ, condition.mask, condition.value});
  }
  const int result =
      seccomp_rule_add_exact_array(context.get(), ActionOf(rule), *SyscallNumber(rule.syscall),
                                   static_cast<unsigned int>(comparisons.size()), comparisons.data());
  // Groups overlap: the same rule twice is the same rule.
  if (result != 0 && result != -EEXIST) {
    return SeccompError(result, "add a rule for " + rule.syscall);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<sock_filter>> Export(const SeccompContext& context) {
  const UniqueFd file(memfd_create("caisson-filter", MFD_CLOEXEC));
  if (!file.valid()) {
    return ErrnoStatus(errno, "memfd_create caisson-filter");
  }
  if (const int result = seccomp_export_bpf(context.get(), file.get()); result != 0) {
    return SeccompError(result, "export the filter");
  }
  struct stat info {};
  if (fstat(file.get(), &info) != 0) {
    return ErrnoStatus(errno, "fstat caisson-filter");
  }
  const auto bytes = static_cast<size_t>(info.st_size);
  if (bytes == 0 || bytes % sizeof(sock_filter) != 0) {
    return absl::InternalError("export the filter: " + std::to_string(bytes) + " bytes are not a program");
  }
  std::vector<sock_filter> program(bytes / sizeof(sock_filter));
  if (pread(file.get(), program.data(), bytes, 0) != info.st_size) {
    return ErrnoStatus(errno, "read caisson-filter");
  }
  return program;
}

void FillAnswers(const SyscallFilter& filter, CompiledFilter& compiled) {
  for (const auto& [number, name] : kForeignCalls) {
    compiled.deny_answers.at(static_cast<size_t>(number)) = kAnswerKill;
  }
  for (const SyscallRule& rule : filter.rules) {
    if (rule.action == SyscallAction::kCount) {
      compiled.counted_fcntl |= uint64_t{1} << rule.conditions.at(0).value;
    }
    if (!IsRefusal(rule)) {
      continue;
    }
    compiled.deny_answers.at(static_cast<size_t>(*SyscallNumber(rule.syscall))) =
        rule.action == SyscallAction::kKill ? kAnswerKill : static_cast<uint8_t>(rule.errno_value);
  }
}

void FillObserved(const SyscallFilter& filter, CompiledFilter& compiled) {
  std::map<uint32_t, ObservedCall> by_number;
  for (const SyscallRule& rule : filter.rules) {
    if (ActionOf(rule) != SCMP_ACT_NOTIFY) {
      continue;
    }
    const auto number = static_cast<uint32_t>(*SyscallNumber(rule.syscall));
    ObservedCall& call = by_number[number];
    call.number = number;
    for (const ArgumentCondition& condition : rule.conditions) {
      call.masks.at(condition.index) |= condition.mask;
    }
  }
  for (const auto& [number, call] : by_number) {
    compiled.observed.push_back(call);
  }
}

absl::Status CheckRules(const SyscallFilter& filter) {
  std::string message;
  for (const RuleProblem& problem : FindRuleProblems(filter)) {
    message += (message.empty() ? "" : "\n") + filter.rules[problem.rule].syscall + ": " + problem.reason;
  }
  return message.empty() ? absl::OkStatus() : absl::InvalidArgumentError(message);
}

}  // namespace

absl::StatusOr<CompiledFilter> CompileFilter(const SyscallFilter& filter) {
  RETURN_IF_ERROR(CheckRules(filter));
  if (seccomp_arch_native() != SCMP_ARCH_X86_64) {
    return absl::FailedPreconditionError("compile the filter: only x86-64 is supported");
  }
  const bool observes = Observes(filter);
  const SeccompContext context(seccomp_init(observes ? kRefusalMark : SCMP_ACT_NOTIFY), seccomp_release);
  if (context == nullptr) {
    return absl::FailedPreconditionError(
        "compile the filter: libseccomp or the kernel has no user notification");
  }
  const std::array<std::pair<scmp_filter_attr, uint32_t>, 2> attributes = {{
      {SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS},
      {SCMP_FLTATR_CTL_OPTIMIZE, kBinaryTree},
  }};
  for (const auto& [attribute, value] : attributes) {
    if (const int result = seccomp_attr_set(context.get(), attribute, value); result != 0) {
      return SeccompError(result, "set libseccomp's attribute " + std::to_string(attribute));
    }
  }
  for (const SyscallRule& rule : filter.rules) {
    // deny and kill are the default action, told apart by the answer table; so is count, by its own record,
    // where nothing is observed.
    if (!IsRefusal(rule) && (rule.action != SyscallAction::kCount || observes)) {
      RETURN_IF_ERROR(AddRule(context, rule));
    }
  }
  CompiledFilter compiled;
  compiled.program = Prologue(observes);
  ASSIGN_OR_RETURN(std::vector<sock_filter> exported, Export(context));
  if (observes) {
    AppendRefusals(filter, exported);
    FillObserved(filter, compiled);
  }
  compiled.program.insert(compiled.program.end(), exported.begin(), exported.end());
  if (compiled.program.size() > BPF_MAXINSNS) {
    return absl::InvalidArgumentError("compile the filter: " + std::to_string(compiled.program.size()) +
                                      " instructions, the kernel takes " + std::to_string(BPF_MAXINSNS));
  }
  FillAnswers(filter, compiled);
  // SAFETY: a program is plain bytes without padding; its digest is over exactly what seccomp(2) is given.
  static_assert(sizeof(sock_filter) == 8);
  SHA256(reinterpret_cast<const unsigned char*>(compiled.program.data()),
         compiled.program.size() * sizeof(sock_filter), compiled.digest.data());
  return compiled;
}

std::string SyscallName(int number) {
  for (const auto& [foreign, foreign_name] : kForeignCalls) {
    if (number == foreign) {
      return foreign_name;
    }
  }
  const std::unique_ptr<char, void (*)(void*)> name(
      seccomp_syscall_resolve_num_arch(SCMP_ARCH_X86_64, number), std::free);
  return name == nullptr ? "syscall_" + std::to_string(number) : std::string(name.get());
}

int NewestKnownSyscall() {
  for (int number = static_cast<int>(kSyscallNumbers) - 1; number > 0; --number) {
    const std::unique_ptr<char, void (*)(void*)> name(
        seccomp_syscall_resolve_num_arch(SCMP_ARCH_X86_64, number), std::free);
    if (name != nullptr) {
      return number;
    }
  }
  return 0;
}

}  // namespace caisson::policy
