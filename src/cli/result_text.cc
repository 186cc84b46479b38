#include "cli/result_text.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <string_view>
#include <utility>

#include "cli/text.h"

namespace caisson::cli {
namespace {

constexpr size_t kMaxShownDenials = 8;
constexpr size_t kMaxShownExplanations = 3;
constexpr int kMaxShownOutputs = 8;

bool EndsWith(const std::string& text, std::string_view suffix) {
  return text.size() >= suffix.size() &&
         text.compare(text.size() - suffix.size(), suffix.size(), suffix) == 0;
}

// "wall_time_ms" → {"wall time", "ms"}.
std::pair<std::string, std::string> NameAndUnit(const std::string& limit) {
  std::string name = limit;
  std::string unit;
  for (const std::string_view suffix : {"_ms", "_bytes", "_millis", "_count"}) {
    if (EndsWith(name, suffix)) {
      unit = suffix.substr(1);
      name.erase(name.size() - suffix.size());
      break;
    }
  }
  std::replace(name.begin(), name.end(), '_', ' ');
  return {name, unit};
}

std::string LimitText(const v1::LimitHit& hit) {
  const auto [name, unit] = NameAndUnit(hit.name());
  std::string text = name + " limit: ";
  if (unit == "bytes") {
    text += BytesText(hit.limit());
  } else {
    text += std::to_string(hit.limit());
    text += unit == "ms" ? " ms" : "";
    text += hit.name() == "denial_rate" ? " refused calls a second" : "";
  }
  return text;
}

// The line for a limit's verdict, also when the server named no limit.
std::string StoppedText(const v1::RunResult& result, const std::string& fallback) {
  return "stopped: " + (result.has_limit() ? LimitText(result.limit()) : fallback);
}

std::string ViolationText(const v1::RunResult& result) {
  if (result.has_limit()) {
    return "stopped: " + LimitText(result.limit());
  }
  for (const v1::Denial& denial : result.denials()) {
    if (denial.killed()) {
      return "stopped: the profile kills for the system call " + denial.name();
    }
  }
  return "stopped: system call violation";
}

// The server's sentence begins with the same word: "Canceled: the client asked for it."
std::string CanceledText(const std::string& message) {
  if (message.rfind("Canceled", 0) == 0) {
    return "c" + message.substr(1);
  }
  return message.empty() ? "canceled" : "canceled: " + message;
}

std::string EndLine(const v1::RunResult& result) {
  switch (result.verdict()) {
    case v1::COMPLETED:
      return "";
    case v1::SIGNALED: {
      const char* description = sigdescr_np(result.signal());
      return "ended by signal " + std::to_string(result.signal()) +
             (description == nullptr ? "" : " (" + std::string(description) + ")");
    }
    case v1::WALL_TIME_LIMIT:
      return StoppedText(result, "wall time limit");
    case v1::CPU_TIME_LIMIT:
      return StoppedText(result, "cpu time limit");
    case v1::MEMORY_LIMIT:
      return StoppedText(result, "memory limit");
    case v1::OUTPUT_LIMIT:
      return StoppedText(result, "output limit");
    case v1::SYSCALL_VIOLATION:
      return ViolationText(result);
    case v1::CANCELED:
      return CanceledText(result.message());
    case v1::COMPILE_FAILED:
      return result.message().empty() ? "the program does not compile" : result.message();
    default:
      return "failed: " +
             (result.message().empty() ? "verdict " + VerdictText(result.verdict()) : result.message());
  }
}

// "(AF_INET, SOCK_STREAM, 0)", as far as the server decoded it.
std::string ArgumentsText(const v1::Denial& denial) {
  std::string text;
  for (const std::string& argument : denial.decoded_args()) {
    text += (text.empty() ? "(" : ", ") + argument;
  }
  return text.empty() ? text : text + ")";
}

// What the refusals mean, each explanation once.
void AddExplanations(const v1::RunResult& result, std::vector<std::string>& lines) {
  std::vector<std::string> shown;
  for (const v1::Denial& denial : result.denials()) {
    if (shown.size() == kMaxShownExplanations) {
      return;
    }
    if (!denial.explanation().empty() &&
        std::find(shown.begin(), shown.end(), denial.explanation()) == shown.end()) {
      shown.push_back(denial.explanation());
      lines.push_back(denial.name() + ": " + denial.explanation());
    }
  }
}

using Denials = std::vector<const v1::Denial*>;

std::string DenialsText(const Denials& denials) {
  std::string text;
  for (size_t i = 0; i < denials.size(); ++i) {
    const v1::Denial& denial = *denials[i];
    text += text.empty() ? "" : ", ";
    if (i == kMaxShownDenials) {
      return text + "and " + std::to_string(denials.size() - kMaxShownDenials) + " other calls";
    }
    text += denial.name();
    text += ArgumentsText(denial);
    text += denial.count() == 1 ? " once" : " " + std::to_string(denial.count()) + " times";
  }
  return text;
}

// The program's own, and those of what compiled it.
void AddDenials(const v1::RunResult& result, std::vector<std::string>& lines) {
  Denials compiling;
  Denials running;
  for (const v1::Denial& denial : result.denials()) {
    (denial.step() == "compile" ? compiling : running).push_back(&denial);
  }
  if (!compiling.empty()) {
    lines.push_back("refused calls while compiling: " + DenialsText(compiling));
  }
  if (!running.empty()) {
    lines.push_back("refused calls: " + DenialsText(running));
  }
  AddExplanations(result, lines);
}

void AddCutLine(const char* name, const v1::StreamCount& count, std::vector<std::string>& lines) {
  if (count.truncated()) {
    lines.push_back(std::string(name) + " was cut: " + std::to_string(count.delivered_bytes()) + " of " +
                    std::to_string(count.bytes()) + " bytes delivered");
  }
}

// What asked-for files did not come back, and why.
void AddRefusedOutputs(const v1::RunResult& result, std::vector<std::string>& lines) {
  int shown = 0;
  for (const v1::RefusedOutput& refused : result.refused_outputs()) {
    if (++shown > kMaxShownOutputs) {
      break;
    }
    const bool missing = refused.reason() == v1::RefusedOutput::NOT_FOUND;
    lines.push_back("not returned: " + refused.path() + ": " +
                    (missing ? "the program left no such file" : refused.message()));
  }
  uint64_t more = 0;
  if (__builtin_add_overflow(std::max(0, result.refused_outputs_size() - kMaxShownOutputs),
                             result.refused_outputs_unlisted(), &more)) {
    more = std::numeric_limits<uint64_t>::max();
  }
  if (more > 0) {
    lines.push_back("not returned: " + std::to_string(more) + " other paths");
  }
  if (result.outputs_incomplete()) {
    lines.push_back("the returned files are incomplete: the collection was cut off");
  }
}

std::string NameOrNumber(const std::string& name, int number) {
  return name.empty() ? "unknown (" + std::to_string(number) + ")" : name;
}

}  // namespace

std::string VerdictText(v1::Verdict verdict) { return NameOrNumber(v1::Verdict_Name(verdict), verdict); }

std::string StateText(v1::Run::State state) { return NameOrNumber(v1::Run::State_Name(state), state); }

std::vector<std::string> ResultLines(const v1::RunResult& result) {
  std::vector<std::string> lines;
  AddCutLine("stdout", result.stdout(), lines);
  AddCutLine("stderr", result.stderr(), lines);
  if (std::string line = EndLine(result); !line.empty()) {
    lines.push_back(std::move(line));
  }
  const bool failed = result.verdict() != v1::COMPLETED || result.exit_code() != 0;
  if (failed) {
    AddDenials(result, lines);
  }
  AddRefusedOutputs(result, lines);
  for (std::string& line : lines) {
    line = Printable(line);
  }
  return lines;
}

}  // namespace caisson::cli
