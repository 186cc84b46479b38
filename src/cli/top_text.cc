#include "cli/top_text.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

#include "cli/result_text.h"
#include "cli/text.h"

namespace caisson::cli {
namespace {

using Rows = std::vector<std::vector<std::string>>;

// Rounded down to a tenth.
std::string GibibytesText(uint64_t bytes) {
  const uint64_t tenths = bytes / (1ULL << 30U) * 10 + bytes % (1ULL << 30U) * 10 / (1ULL << 30U);
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " GiB";
}

std::string Heading(const TopView& view) {
  const v1::ServerInfo& info = view.info;
  const std::string who = info.tenant().empty() ? Printable(info.role(), kMaxCellBytes)
                                                : "tenant " + Printable(info.tenant(), kMaxCellBytes);
  return "caissond " + Printable(info.version(), kMaxCellBytes) + " at " + view.address +
         (who.empty() ? "" : ", as " + who) + "\n" + "active " + std::to_string(info.runs_active()) +
         " (room for " + std::to_string(info.max_runs()) + "), waiting " +
         std::to_string(info.runs_queued()) + " (room for " + std::to_string(info.queue_length()) +
         "), memory for runs " + GibibytesText(info.memory_budget_bytes()) + "\n";
}

std::string TenantsTable(const std::vector<v1::Run>& runs) {
  std::map<std::string, std::map<v1::Run::State, uint64_t>> tenants;
  for (const v1::Run& run : runs) {
    ++tenants[run.tenant()][run.state()];
  }
  Rows rows{{"TENANT", "RUNNING", "PREPARING", "QUEUED"}};
  for (auto& [tenant, counts] : tenants) {
    rows.push_back({tenant.empty() ? "-" : Printable(tenant, kMaxCellBytes),
                    std::to_string(counts[v1::Run::RUNNING]), std::to_string(counts[v1::Run::PREPARING]),
                    std::to_string(counts[v1::Run::QUEUED])});
  }
  return TableText(rows);
}

std::string LiveTable(std::vector<v1::Run> runs, int64_t now_seconds) {
  std::stable_sort(runs.begin(), runs.end(), [](const v1::Run& left, const v1::Run& right) {
    return std::pair(left.create_time().seconds(), left.create_time().nanos()) <
           std::pair(right.create_time().seconds(), right.create_time().nanos());
  });
  Rows rows{{"NAME", "TENANT", "PROFILE", "STATE", "AGE"}};
  for (const v1::Run& run : runs) {
    rows.push_back({Printable(run.name(), kMaxCellBytes), Printable(run.tenant(), kMaxCellBytes),
                    Printable(run.profile(), kMaxCellBytes), StateText(run.state()),
                    AgeBetween(now_seconds, run.create_time().seconds())});
  }
  return TableText(rows);
}

// Cells are printable, so that bytes are at least as many as columns.
std::string Fitted(std::string_view text, TerminalSize size) {
  if (size.rows == 0 || size.columns == 0) {
    return std::string(text);
  }
  std::string out;
  for (uint32_t row = 0; row < size.rows && !text.empty(); ++row) {
    const size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    const bool more = row + 1 == size.rows && end != std::string_view::npos && end + 1 < text.size();
    const std::string_view shown = more ? "…" : line;
    size_t bytes = std::min<size_t>(shown.size(), more ? shown.size() : size.columns);
    while (bytes > 0 && bytes < shown.size() && (static_cast<uint8_t>(shown[bytes]) & 0xC0U) == 0x80U) {
      --bytes;  // not within a character
    }
    out.append(shown.substr(0, bytes)) += '\n';
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return out;
}

}  // namespace

std::string TopText(const TopView& view, int64_t now_seconds, TerminalSize size) {
  const std::string trouble = view.trouble.empty() ? "" : "! " + Printable(view.trouble) + "\n";
  const std::string runs = view.runs.empty()
                               ? "\nno run is live\n"
                               : "\n" + TenantsTable(view.runs) + "\n" + LiveTable(view.runs, now_seconds);
  return Fitted(Heading(view) + trouble + runs, size);
}

}  // namespace caisson::cli
