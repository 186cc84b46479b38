#include "policy/limit_hints.h"

#include <array>
#include <set>
#include <string_view>
#include <utility>

namespace caisson::policy {
namespace {

constexpr uint64_t kWhole = 100;

struct Placeholder {
  std::string_view text;
  HintUnit unit;
};
constexpr std::array<Placeholder, 2> kPlaceholders = {
    {{"{memory_mib}", HintUnit::kMemoryMib}, {"{cpus}", HintUnit::kCpus}}};

// Splits `text` at its one placeholder; false if it has none or several.
bool Split(const std::string& text, LimitHint& hint) {
  size_t found = 0;
  for (const Placeholder& placeholder : kPlaceholders) {
    for (size_t at = text.find(placeholder.text); at != std::string::npos;
         at = text.find(placeholder.text, at + 1)) {
      ++found;
      hint.before = text.substr(0, at);
      hint.after = text.substr(at + placeholder.text.size());
      hint.unit = placeholder.unit;
    }
  }
  return found == 1;
}

void ResolveOne(const Located<LimitHintSource>& source, LimitHint& hint,
                std::vector<std::string>& complaints) {
  const LimitHintSource& written = source.value;
  hint.variable = written.variable;
  hint.why = written.why;
  const bool is_argument = !written.argument.empty();
  if (is_argument == !written.variable.empty() || is_argument == !written.value.empty()) {
    source.at.Complain(complaints, "must have either argument, or variable and value");
    return;
  }
  const std::string& text = is_argument ? written.argument : written.value;
  if (!Split(text, hint)) {
    source.at.Complain(complaints, "'" + text + "' must have {memory_mib} or {cpus}, once");
  } else if (hint.unit == HintUnit::kCpus && written.percent) {
    source.at.Complain(complaints, "percent is for {memory_mib} only");
  }
  const uint64_t percent = written.percent.value_or(kWhole);
  if (percent < 1 || percent > kWhole) {
    source.at.Complain(complaints, "percent must be 1 to 100");
  } else {
    hint.percent = static_cast<uint32_t>(percent);
  }
  if (HintText(hint).size() > kMostLimitHintBytes) {
    source.at.Complain(complaints, "must be at most " + std::to_string(kMostLimitHintBytes) + " bytes");
  }
  if (text.find('\0') != std::string::npos) {
    source.at.Complain(complaints, "must not have a NUL");
  }
}

}  // namespace

std::vector<LimitHint> ResolveLimitHints(const StepSource& source, const StepSection& step,
                                         std::vector<std::string>& complaints) {
  std::vector<LimitHint> hints;
  std::set<std::string> variables;
  for (const Located<LimitHintSource>& written : source.limit_hints) {
    LimitHint hint;
    ResolveOne(written, hint, complaints);
    if (!hint.variable.empty()) {
      if (!IsVariableName(hint.variable)) {
        written.at.Complain(complaints, "'" + hint.variable + "' is no name of a variable");
      }
      if (step.environment.contains(hint.variable) || !variables.insert(hint.variable).second) {
        written.at.Complain(complaints, "the variable " + hint.variable + " is set a second time");
      }
    } else if (!step.command.empty() && step.command.front() == "{main}") {
      written.at.Complain(complaints, "the command is {main}, which would take the argument for its own");
    }
    hints.push_back(std::move(hint));
  }
  if (hints.size() > kMostLimitHints) {
    source.limit_hints.back().at.Complain(complaints,
                                          "more than " + std::to_string(kMostLimitHints) + " hints");
  }
  return hints;
}

std::string HintText(const LimitHint& hint) {
  const Placeholder& placeholder = kPlaceholders.at(static_cast<size_t>(hint.unit));
  return (hint.variable.empty() ? "" : hint.variable + "=") + hint.before + std::string(placeholder.text) +
         hint.after;
}

}  // namespace caisson::policy
