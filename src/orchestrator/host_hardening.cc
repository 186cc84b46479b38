#include "orchestrator/host_hardening.h"

#include <dirent.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <memory>

#include "common/files.h"
#include "common/status.h"

namespace caisson::orchestrator {
namespace {

constexpr char kVulnerabilities[] = "/sys/devices/system/cpu/vulnerabilities";
constexpr int64_t kOldDays = 180;

std::string_view Trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\n");
  return first == std::string_view::npos ? std::string_view()
                                         : text.substr(first, text.find_last_not_of(" \t\n") - first + 1);
}

// Nothing if it is no number: then nothing is known, which counts as weak.
std::optional<int> Number(std::string_view text) {
  const std::string_view digits = Trimmed(text);
  int value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  const bool whole = error == std::errc() && end == digits.data() + digits.size();
  return whole ? std::optional(value) : std::nullopt;
}

template <int least>
bool AtLeast(std::string_view text) {
  return Number(text).value_or(least - 1) >= least;
}

bool IsZero(std::string_view text) { return Number(text) == 0; }
// Of KSM: 2 stops it and takes apart what it had merged.
bool DoesNotMerge(std::string_view text) { return Number(text).value_or(1) != 1; }
bool IsNoPipe(std::string_view text) { return !Trimmed(text).starts_with('|'); }
bool IsNotAlways(std::string_view text) { return text.find("[always]") == std::string_view::npos; }

std::vector<std::string_view> Words(std::string_view text) {
  std::vector<std::string_view> words;
  for (size_t end = 0, start = text.find_first_not_of(" \n"); start != std::string_view::npos;
       start = text.find_first_not_of(" \n", end)) {
    end = std::min(text.find_first_of(" \n", start), text.size());
    words.push_back(text.substr(start, end - start));
  }
  return words;
}

std::optional<int64_t> DayOf(std::optional<int> year, std::optional<int> month, std::optional<int> day) {
  constexpr int kFirstYear = 1991;  // before that there was no Linux
  if (!year || !month || !day || *year < kFirstYear) {
    return std::nullopt;
  }
  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) {
    return std::nullopt;
  }
  return std::chrono::sys_days(date).time_since_epoch().count();
}

// "(2025-05-22)"
std::optional<int64_t> DebianDay(std::string_view word) {
  constexpr size_t kLength = 12;
  if (word.size() != kLength || word.front() != '(' || word[5] != '-' || word[8] != '-') {
    return std::nullopt;
  }
  return DayOf(Number(word.substr(1, 4)), Number(word.substr(6, 2)), Number(word.substr(9, 2)));
}

std::optional<int> Month(std::string_view word) {
  constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto* const found = std::find(kMonths.begin(), kMonths.end(), word);
  return found == kMonths.end() ? std::nullopt : std::optional(static_cast<int>(found - kMonths.begin()) + 1);
}

CheckResult Weak(std::string name, std::string detail, std::string mend) {
  return {std::move(name), CheckState::kWarn, std::move(detail), std::move(mend)};
}

std::vector<CheckResult> ProbeSettings() {
  std::vector<CheckResult> results;
  for (const HostSetting& setting : HostSettings()) {
    const absl::StatusOr<std::string> text = ReadFile(setting.path);
    if (text.ok()) {
      results.push_back(JudgeSetting(setting, *text));
    } else if (absl::IsNotFound(text.status())) {
      results.push_back(JudgeSetting(setting, std::nullopt));
    } else {
      results.push_back(Weak(setting.name, Message(text.status()), std::string("cat ") + setting.path));
    }
  }
  return results;
}

CheckResult ProbeVulnerabilities() {
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(opendir(kVulnerabilities), closedir);
  std::vector<std::pair<std::string, std::string>> files;
  // NOLINTNEXTLINE(concurrency-mt-unsafe): one thread
  while (const dirent* entry = directory == nullptr ? nullptr : readdir(directory.get())) {
    const std::string name = entry->d_name;
    const absl::StatusOr<std::string> text = ReadFile(std::string(kVulnerabilities) + "/" + name);
    if (name.front() != '.' && text.ok()) {
      files.emplace_back(name, *text);
    }
  }
  std::sort(files.begin(), files.end());
  return JudgeVulnerabilities(files);
}

CheckResult ProbeKernelAge() {
  utsname names{};
  static_cast<void>(uname(&names));  // Fails for a bad pointer only.
  const auto today = std::chrono::floor<std::chrono::days>(std::chrono::system_clock::now());
  return JudgeKernelAge(names.version, today.time_since_epoch().count());
}

}  // namespace

const std::vector<HostSetting>& HostSettings() {
  static constexpr char kFilterAlone[] = "this kernel has no such switch: the syscall filter stands alone";
  static const std::vector<HostSetting> kSettings = {
      {"core_pattern", "/proc/sys/kernel/core_pattern", IsNoPipe,
       "core dumps are files, which RLIMIT_CORE 0 prevents",
       "crashes are piped to a program of the host, which RLIMIT_CORE 0 does not prevent",
       "this kernel writes no core dumps", "sysctl -w kernel.core_pattern=core"},
      {"aslr", "/proc/sys/kernel/randomize_va_space", AtLeast<2>, "addresses are random, the heap's too",
       "addresses of programs can be guessed, those of caissond and its dispatcher as well",
       "this kernel has no such switch", "sysctl -w kernel.randomize_va_space=2"},
      {"kptr_restrict", "/proc/sys/kernel/kptr_restrict", AtLeast<1>, "addresses of the kernel are hidden",
       "the kernel tells its addresses, which exploits need", "this kernel has no such switch",
       "sysctl -w kernel.kptr_restrict=1"},
      {"dmesg_restrict", "/proc/sys/kernel/dmesg_restrict", AtLeast<1>, "the kernel's log is root's",
       "everybody may read the kernel's log, which tells addresses", "this kernel has no such switch",
       "sysctl -w kernel.dmesg_restrict=1"},
      {"unprivileged_bpf", "/proc/sys/kernel/unprivileged_bpf_disabled", AtLeast<1>,
       "only root loads programs into the kernel",
       "everybody may load programs into the kernel; in sandboxes the syscall filter alone prevents it",
       "this kernel has no bpf(2)", "sysctl -w kernel.unprivileged_bpf_disabled=1"},
      {"io_uring", "/proc/sys/kernel/io_uring_disabled", AtLeast<1>, "io_uring is switched off or a group's",
       "everybody may use io_uring, which has had many bugs; in sandboxes the syscall filter alone prevents "
       "it",
       kFilterAlone, "sysctl -w kernel.io_uring_disabled=2"},
      {"perf_events", "/proc/sys/kernel/perf_event_paranoid", AtLeast<2>,
       "programs may not measure the kernel",
       "everybody may measure the kernel; in sandboxes the syscall filter alone prevents it",
       "this kernel has no perf_event_open(2)", "sysctl -w kernel.perf_event_paranoid=2"},
      {"protected_symlinks", "/proc/sys/fs/protected_symlinks", AtLeast<1>,
       "symbolic links of others in /tmp are not followed",
       "programs of the host follow symbolic links that others put into /tmp",
       "this kernel has no such switch", "sysctl -w fs.protected_symlinks=1"},
      {"protected_hardlinks", "/proc/sys/fs/protected_hardlinks", AtLeast<1>,
       "nobody links to files of others", "users may make links to files that they cannot write",
       "this kernel has no such switch", "sysctl -w fs.protected_hardlinks=1"},
      {"protected_fifos", "/proc/sys/fs/protected_fifos", AtLeast<1>,
       "FIFOs of others in /tmp are not opened", "programs of the host open FIFOs that others put into /tmp",
       "this kernel has no such switch", "sysctl -w fs.protected_fifos=1"},
      {"protected_regular", "/proc/sys/fs/protected_regular", AtLeast<1>,
       "files of others in /tmp are not opened for writing",
       "programs of the host open files for writing that others put into /tmp",
       "this kernel has no such switch", "sysctl -w fs.protected_regular=1"},
      {"smt", "/sys/devices/system/cpu/smt/active", IsZero, "no two threads share a core",
       "two runs may share a core and learn about each other through it",
       "the kernel knows of no threads that share a core", "echo off > /sys/devices/system/cpu/smt/control"},
      {"ksm", "/sys/kernel/mm/ksm/run", DoesNotMerge, "equal pages are not merged",
       "equal pages of different processes are merged, and how long a write takes tells it",
       "this kernel merges no pages", "echo 2 > /sys/kernel/mm/ksm/run"},
      {"huge_pages", "/sys/kernel/mm/transparent_hugepage/enabled", IsNotAlways,
       "huge pages are for those that ask",
       "programs get huge pages unasked: the memory and the time that a run takes vary from run to run",
       "this kernel has no transparent huge pages",
       "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled"},
  };
  return kSettings;
}

CheckResult JudgeSetting(const HostSetting& setting, const std::optional<std::string>& text) {
  if (!text) {
    return {setting.name, CheckState::kOk, setting.absent, ""};
  }
  if (setting.is_strong(*text)) {
    return {setting.name, CheckState::kOk, setting.strong, ""};
  }
  return Weak(setting.name, setting.weak, setting.mend);
}

CheckResult JudgeVulnerabilities(const std::vector<std::pair<std::string, std::string>>& files) {
  constexpr char kName[] = "cpu_vulnerabilities";
  std::string open;
  for (const auto& [name, text] : files) {
    // "Vulnerable: …", "Mitigation: …; SMT vulnerable", "KVM: Vulnerable", "Unknown: No mitigations"
    const bool closed = text.find("ulnerable") == std::string::npos && !Trimmed(text).starts_with("Unknown");
    if (!closed) {
      open += (open.empty() ? "" : "; ") + name + ": " + std::string(Trimmed(text));
    }
  }
  if (!open.empty()) {
    return Weak(
        kName, open,
        "apt-get install intel-microcode or amd64-microcode (in a virtual machine, on its host), boot "
        "without mitigations=off; where it says SMT: echo off > /sys/devices/system/cpu/smt/control");
  }
  return {kName, CheckState::kOk,
          files.empty() ? "the kernel tells nothing about this CPU"
                        : "the kernel knows of " + std::to_string(files.size()) +
                              ", and counters those of "
                              "this CPU",
          ""};
}

std::optional<int64_t> KernelBuildDay(std::string_view version) {
  const std::vector<std::string_view> words = Words(version);
  for (const std::string_view word : words) {
    if (const auto day = DebianDay(word)) {
      return day;
    }
  }
  // "Wed Nov 12 10:22:33 UTC 2025"
  constexpr size_t kToYear = 4;
  for (size_t i = 0; i + kToYear < words.size(); ++i) {
    if (const auto month = Month(words[i])) {
      return DayOf(Number(words[i + kToYear]), month, Number(words[i + 1]));
    }
  }
  return std::nullopt;
}

CheckResult JudgeKernelAge(std::string_view version, int64_t today) {
  constexpr char kName[] = "kernel_age";
  const std::optional<int64_t> built = KernelBuildDay(version);
  if (!built) {
    return Weak(kName, "the kernel does not say when it was built: " + std::string(version),
                "uname -v, and compare with the newest of your distribution");
  }
  const std::string age =
      "the kernel was built " + std::to_string(std::max<int64_t>(today - *built, 0)) + " days ago";
  if (today - *built > kOldDays) {
    return Weak(kName, age + ": mends of the last half year are missing",
                "apt-get update && apt-get upgrade, then reboot");
  }
  return {kName, CheckState::kOk, age, ""};
}

std::vector<CheckResult> ProbeHardening() {
  std::vector<CheckResult> results = ProbeSettings();
  results.push_back(ProbeVulnerabilities());
  results.push_back(ProbeKernelAge());
  return results;
}

}  // namespace caisson::orchestrator
