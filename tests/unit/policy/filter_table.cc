#include "filter_table.h"

#include <algorithm>
#include <iomanip>
#include <map>
#include <optional>
#include <sstream>
#include <vector>

#include "filter_support.h"
#include "policy/errno_names.h"

namespace caisson::policy {
namespace {

constexpr int kLastNumber = 600;
constexpr uint32_t kX32Bit = 0x40000000U;
constexpr int kNameColumn = 26;
constexpr uint8_t kKill = 255;

using Rules = std::vector<const SyscallRule*>;

bool Fits(const SyscallRule& rule, const SyscallArguments& arguments) {
  return std::all_of(rule.conditions.begin(), rule.conditions.end(), [&](const ArgumentCondition& condition) {
    return (static_cast<uint32_t>(arguments.at(condition.index)) & condition.mask) == condition.value;
  });
}

std::string Reported(const CompiledFilter& compiled, int number, const SyscallArguments& arguments) {
  if (number == Number("fcntl") && arguments[1] < 64 && (compiled.counted_fcntl >> arguments[1] & 1U) != 0) {
    return "allowed and counted";
  }
  const auto index = static_cast<size_t>(number);
  const uint8_t answer = index < compiled.deny_answers.size() ? compiled.deny_answers.at(index) : 0;
  if (answer == kKill) {
    return "ends the run";
  }
  return ErrnoName(answer == 0 ? EPERM : answer) + ", reported";
}

std::string InWords(const CompiledFilter& compiled, int number, const SyscallArguments& arguments) {
  const uint32_t answer = Answer(compiled, number, arguments);
  switch (answer & SECCOMP_RET_ACTION_FULL) {
    case SECCOMP_RET_ALLOW:
      return "allowed";
    case SECCOMP_RET_KILL_PROCESS:
      return "kills the process";
    case SECCOMP_RET_USER_NOTIF:
      return Reported(compiled, number, arguments);
    case SECCOMP_RET_ERRNO:
      return (answer & SECCOMP_RET_DATA) == 0 ? "0, and nothing is done"
                                              : ErrnoName(static_cast<int>(answer & SECCOMP_RET_DATA));
    default:
      return "action " + std::to_string(answer);
  }
}

// Arguments that no rule with conditions fits.
std::optional<SyscallArguments> FitsNone(const Rules& rules) {
  const auto found = [&rules](const SyscallArguments& arguments) {
    return std::none_of(rules.begin(), rules.end(), [&](const SyscallRule* rule) {
      return !rule->conditions.empty() && Fits(*rule, arguments);
    });
  };
  for (uint64_t next = 0; next <= 4096; ++next) {
    const uint64_t value = next - 1;  // all ones first
    const SyscallArguments arguments{value, value, value, value, value, value};
    if (found(arguments)) {
      return arguments;
    }
  }
  return std::nullopt;
}

std::string Line(const Rules& rules, const CompiledFilter& compiled, int number) {
  std::map<std::string, std::string> by_answer;
  for (const SyscallRule* rule : rules) {
    if (rule->conditions.empty()) {
      continue;
    }
    SyscallArguments arguments{};
    for (const ArgumentCondition& condition : rule->conditions) {
      arguments.at(condition.index) |= condition.value;
    }
    std::string& conditions = by_answer[InWords(compiled, number, arguments)];
    conditions += (conditions.empty() ? "" : " or ") + ConditionsInWords(*rule);
  }
  const std::optional<SyscallArguments> none = FitsNone(rules);
  const std::string otherwise = none ? InWords(compiled, number, *none) : "";
  if (by_answer.empty()) {
    return otherwise;
  }
  std::string line;
  for (const auto& [answer, conditions] : by_answer) {
    line.append(line.empty() ? "" : "; ").append(answer).append(" if ").append(conditions);
  }
  return otherwise.empty() ? line : line + "; otherwise " + otherwise;
}

void Print(std::ostringstream& text, const std::string& number, const std::string& name,
           const std::string& answer) {
  text << std::right << std::setw(9) << number << " " << std::left << std::setw(kNameColumn) << name << " "
       << answer << "\n";
}

// What all numbers of another architecture get; `number` stands for them in the answer table.
std::string Architecture(const CompiledFilter& compiled, uint32_t arch, uint32_t bit, int number) {
  const uint32_t first = Answer(compiled, static_cast<int>(bit), {}, arch);
  for (uint32_t other = 0; other <= kLastNumber; ++other) {
    for (const uint64_t argument : {uint64_t{0}, uint64_t{1}, ~uint64_t{0}}) {
      if (Answer(compiled, static_cast<int>(other | bit),
                 {argument, argument, argument, argument, argument, argument}, arch) != first) {
        return "not the same for all";
      }
    }
  }
  return first == SECCOMP_RET_USER_NOTIF ? Reported(compiled, number, {}) : "action " + std::to_string(first);
}

}  // namespace

std::string FilterTable(const std::string& title, const SyscallFilter& filter,
                        const CompiledFilter& compiled) {
  std::map<int, Rules> rules;
  for (const SyscallRule& rule : filter.rules) {
    rules[Number(rule.syscall)].push_back(&rule);
  }
  std::ostringstream text;
  text << "# " << title
       << ": what the compiled filter answers. How to make it anew: tests/golden/README.md\n";
  Print(text, "0-600", "i386", Architecture(compiled, AUDIT_ARCH_I386, 0, kI386Call));
  Print(text, "0-600", "x32", Architecture(compiled, AUDIT_ARCH_X86_64, kX32Bit, kX32Call));
  int begin = -1;
  for (int number = 0; number <= kLastNumber + 1; ++number) {
    const bool named = number <= kLastNumber && SyscallName(number).rfind("syscall_", 0) != 0;
    const std::string answer = number <= kLastNumber ? Line(rules[number], compiled, number) : "";
    // Numbers without a name that get the same answer share a line.
    if (begin >= 0 && (named || answer != Line(rules[begin], compiled, begin))) {
      Print(text,
            begin == number - 1 ? std::to_string(begin)
                                : std::to_string(begin) + "-" + std::to_string(number - 1),
            "(no such call)", Line(rules[begin], compiled, begin));
      begin = -1;
    }
    if (named) {
      Print(text, std::to_string(number), SyscallName(number), answer);
    } else if (begin < 0 && number <= kLastNumber) {
      begin = number;
    }
  }
  return text.str();
}

}  // namespace caisson::policy
