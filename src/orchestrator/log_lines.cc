#include "orchestrator/log_lines.h"

#include <algorithm>

namespace caisson::orchestrator {
namespace {

// Takes "<N>" off the line. syslog's severities, of which spdlog knows fewer.
spdlog::level::level_enum TakeSeverity(std::string_view& line) {
  if (line.size() < 3 || line[0] != '<' || line[1] < '0' || line[1] > '7' || line[2] != '>') {
    return spdlog::level::warn;
  }
  const int severity = line[1] - '0';
  line.remove_prefix(3);
  if (severity <= 2) {
    return spdlog::level::critical;
  }
  if (severity == 3) {
    return spdlog::level::err;
  }
  if (severity == 4) {
    return spdlog::level::warn;
  }
  return severity == 7 ? spdlog::level::debug : spdlog::level::info;
}

}  // namespace

std::string EscapeForLog(std::string_view text) {
  constexpr char kHexDigits[] = "0123456789abcdef";
  std::string escaped;
  escaped.reserve(text.size());
  for (const char character : text) {
    if (character >= ' ' && character <= '~' && character != '\\') {
      escaped += character;
      continue;
    }
    const auto code = static_cast<unsigned char>(character);
    escaped += "\\x";
    escaped += kHexDigits[code >> 4U];
    escaped += kHexDigits[code & 0xfU];
  }
  return escaped;
}

void LogLines::Feed(std::string_view bytes, std::vector<LogLine>& lines) {
  while (!bytes.empty()) {
    const size_t end = bytes.find('\n');
    const std::string_view piece = bytes.substr(0, end);
    const size_t taken = std::min(piece.size(), kMaxLogLineBytes - partial_.size());
    partial_.append(piece.substr(0, taken));
    cut_bytes_ += piece.size() - taken;
    if (end == std::string_view::npos) {
      return;
    }
    Complete(lines);
    bytes.remove_prefix(end + 1);
  }
}

void LogLines::Finish(std::vector<LogLine>& lines) {
  if (!partial_.empty()) {
    Complete(lines);
  }
}

void LogLines::Complete(std::vector<LogLine>& lines) {
  std::string_view rest = partial_;
  LogLine line;
  line.level = TakeSeverity(rest);
  line.text = EscapeForLog(rest);
  if (cut_bytes_ != 0) {
    line.text += " ... (" + std::to_string(cut_bytes_) + " bytes cut)";
  }
  lines.push_back(std::move(line));
  partial_.clear();
  cut_bytes_ = 0;
}

}  // namespace caisson::orchestrator
