// Differential: rules → a profile's text → the loader → the compiled filter, run by the BPF evaluator,
// against a plain reading of the same rules. Input: five bytes a condition or rule, see Rules().
#include <linux/audit.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "common/status.h"
#include "policy/bpf_evaluator.h"
#include "policy/filter_compiler.h"
#include "policy/plain_filter.h"
#include "policy/profile_loader.h"
#include "policy/profile_resolver.h"
#include "policy/profile_source.h"
#include "policy/syscall_groups.h"

namespace caisson::policy {
namespace {

constexpr std::array kNames = {
    "getpid",       "openat",    "fcntl", "ioctl",   "socket", "clone",      "madvise",
    "prctl",        "ptrace",    "kill",  "unshare", "futex",  "socketpair", "landlock_restrict_self",
    "no_such_call", "setsockopt"};
constexpr std::array kActions = {SyscallAction::kAllow, SyscallAction::kErrno, SyscallAction::kSucceed,
                                 SyscallAction::kCount, SyscallAction::kDeny,  SyscallAction::kKill};
constexpr std::array<uint32_t, 8> kMasks = {0xffffffffU, 1,           0xff, 0xf000,
                                            0x80000000U, 0xfffffff0U, 6,    0x20000000U};
constexpr size_t kPieceBytes = 5;
constexpr size_t kMostPieces = 48;
constexpr uint32_t kX32Bit = 0x40000000U;

// What every profile has to allow, or the loader refuses it: the stub makes these calls.
std::vector<SyscallRule> StubsRules() {
  std::vector<SyscallRule> rules;
  for (const char* name : {"read", "write", "close", "close_range", "dup2", "execve", "exit_group", "fchmod",
                           "lseek", "mkdirat", "mmap", "munmap", "newfstatat", "pread64", "prlimit64"}) {
    rules.push_back({name, SyscallAction::kAllow, 0, {}, "fuzz"});
  }
  rules.push_back({"fcntl", SyscallAction::kAllow, 0, {{1, 0xffffffffU, 2}}, "fuzz"});
  rules.push_back({"openat", SyscallAction::kAllow, 0, {{2, 0xffffffffU, 0xa00c1}}, "fuzz"});
  return rules;
}

// A piece is a rule (name, action, errno) or, where the first byte's highest bit is set, one more condition
// of the last rule (index, mask, value).
std::vector<SyscallRule> Rules(std::span<const uint8_t> input) {
  std::vector<SyscallRule> rules = StubsRules();
  const size_t first = rules.size();
  for (size_t at = 0; at + kPieceBytes <= input.size() && at < kMostPieces * kPieceBytes; at += kPieceBytes) {
    const auto piece = input.subspan(at, kPieceBytes);
    if ((piece[0] & 0x80U) == 0 || rules.size() == first) {
      SyscallRule rule;
      rule.syscall = kNames.at(piece[0] % kNames.size());
      rule.action = kActions.at(piece[1] % kActions.size());
      const bool has_errno = rule.action == SyscallAction::kErrno || rule.action == SyscallAction::kDeny;
      rule.errno_value = has_errno ? 1 + piece[2] % 34 : 0;
      rules.push_back(rule);
      continue;
    }
    const uint32_t mask = kMasks.at(piece[1] % kMasks.size());
    const uint32_t value =
        piece[2] | static_cast<uint32_t>(piece[3]) << 8U | static_cast<uint32_t>(piece[4]) << 24U;
    rules.back().conditions.push_back({piece[0] & 7U, mask, (piece[1] & 0x80U) != 0 ? value : value & mask});
  }
  return rules;
}

std::string ProfileText(const std::vector<SyscallRule>& rules) {
  static constexpr std::array kErrnos = {
      "EPERM",  "ENOENT",  "ESRCH",  "EINTR",  "EIO",    "ENXIO",   "E2BIG",  "ENOEXEC", "EBADF",
      "ECHILD", "EAGAIN",  "ENOMEM", "EACCES", "EFAULT", "ENOTBLK", "EBUSY",  "EEXIST",  "EXDEV",
      "ENODEV", "ENOTDIR", "EISDIR", "EINVAL", "ENFILE", "EMFILE",  "ENOTTY", "ETXTBSY", "EFBIG",
      "ENOSPC", "ESPIPE",  "EROFS",  "EMLINK", "EPIPE",  "EDOM",    "ERANGE"};
  std::string text;
  for (const SyscallRule& rule : rules) {
    text += text.empty() ? "" : ",";
    text += R"({"name":")" + rule.syscall + R"(","action":")" + ActionName(rule.action) + R"(","why":"fuzz")";
    if (rule.errno_value != 0) {
      text += std::string(R"(,"errno":")") + kErrnos.at(static_cast<size_t>(rule.errno_value) - 1) + "\"";
    }
    std::string args;
    for (const ArgumentCondition& condition : rule.conditions) {
      args += args.empty() ? "" : ",";
      args += R"({"index":)" + std::to_string(condition.index) + R"(,"mask":)" +
              std::to_string(condition.mask) + R"(,"value":)" + std::to_string(condition.value) + "}";
    }
    text += (args.empty() ? "" : R"(,"args":[)" + args + "]") + "}";
  }
  return R"({"schema_version":1,"name":"p","display_name":"Fuzz","description":"Of the fuzzer.",)"
         R"("default_main_file":"program","steps":{"run":{"command":["{main}"],"box_executable":true,)"
         R"("syscalls":{"rules":[)" +
         text + "]}}}}";
}

uint32_t Run(const CompiledFilter& compiled, int number, const SyscallArguments& arguments, uint32_t arch) {
  seccomp_data data{};
  data.nr = number;
  data.arch = arch;
  for (size_t index = 0; index < arguments.size(); ++index) {
    data.args[index] = arguments.at(index);
  }
  const absl::StatusOr<uint32_t> answer = EvaluateFilter(compiled.program, data);
  CAISSON_CHECK(answer.ok());
  return *answer;
}

// What init answers to a reported call that no condition lets through.
uint8_t ExpectedAnswer(const std::vector<const SyscallRule*>& rules) {
  for (const SyscallRule* rule : rules) {
    if (rule->action == SyscallAction::kKill) {
      return 255;
    }
    if (rule->action == SyscallAction::kDeny) {
      return static_cast<uint8_t>(rule->errno_value);
    }
  }
  return 0;
}

void Compare(const SyscallFilter& filter, const CompiledFilter& compiled) {
  const RulesByNumber by_number = ByNumber(filter);
  for (const char* name : kNames) {
    const int number = SyscallNumber(name).value_or(NewestKnownSyscall() + 1);
    const auto found = by_number.find(number);
    const auto rules = found == by_number.end() ? std::vector<const SyscallRule*>() : found->second;
    for (const SyscallArguments& arguments : Samples(rules)) {
      CAISSON_CHECK(Run(compiled, number, arguments, AUDIT_ARCH_X86_64) ==
                    Expected(by_number, number, arguments));
      CAISSON_CHECK(Run(compiled, number, arguments, AUDIT_ARCH_I386) == SECCOMP_RET_USER_NOTIF);
      CAISSON_CHECK(Run(compiled, static_cast<int>(static_cast<uint32_t>(number) | kX32Bit), arguments,
                        AUDIT_ARCH_X86_64) == SECCOMP_RET_USER_NOTIF);
    }
    if (number < static_cast<int>(compiled.deny_answers.size())) {
      CAISSON_CHECK(compiled.deny_answers.at(static_cast<size_t>(number)) == ExpectedAnswer(rules));
    }
  }
}

void FuzzOne(std::span<const uint8_t> input) {
  const std::vector<SyscallRule> rules = Rules(input);
  const SyscallFilter filter{rules};
  const auto source = ParseProfileText(ProfileText(rules), "p.json");
  const auto groups = ParseSyscallGroups(R"({"schema_version":1,"groups":{}})", "g.json");
  CAISSON_CHECK(groups.ok());
  const auto profiles = source.ok() ? ResolveProfiles(ProfileSources{{source->name.value, *source}}, *groups)
                                    : absl::StatusOr<ProfileSet>(source.status());
  // The loader and the compiler have one opinion of what is a filter.
  CAISSON_CHECK(profiles.ok() == FindRuleProblems(filter).empty());
  if (!profiles.ok()) {
    CAISSON_CHECK(!CompileFilter(filter).ok());
    return;
  }
  const SyscallFilter& loaded = profiles->at("p").run.filter;
  const auto compiled = CompileFilter(loaded);
  CAISSON_CHECK(compiled.ok());
  Compare(filter, *compiled);
}

}  // namespace
}  // namespace caisson::policy

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  caisson::policy::FuzzOne(std::span(data, size));
  return 0;
}
