#include "gateway/version_range.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

namespace caisson::gateway {
namespace {

constexpr size_t kMaxRangeBytes = 256;
constexpr size_t kMaxDigits = 9;
constexpr Version kAbove = {std::numeric_limits<uint32_t>::max(), 0, 0};

std::string_view Trim(std::string_view text) {
  const size_t first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

std::optional<uint32_t> TakeNumber(std::string_view& text) {
  const size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  if (digits == 0 || digits > kMaxDigits) {
    return std::nullopt;
  }
  uint32_t value = 0;
  std::from_chars(text.data(), text.data() + digits, value);
  text.remove_prefix(digits);
  return value;
}

// "1.2" or "1.2.x": the numbers that are given, and how many.
struct Partial {
  Version version{};
  size_t given = 0;
};

std::optional<Partial> ParsePartial(std::string_view text) {
  if (!text.empty() && (text.front() == 'v' || text.front() == '=')) {
    text.remove_prefix(1);
  }
  text = text.substr(0, text.find('+'));  // of a build, which says nothing here
  Partial partial;
  bool open = false;
  for (size_t place = 0; place < partial.version.size() && !(place > 0 && text.empty()); ++place) {
    if (place > 0) {
      if (text.front() != '.') {
        return std::nullopt;
      }
      text.remove_prefix(1);
    }
    if (!text.empty() && (text.front() == 'x' || text.front() == 'X' || text.front() == '*')) {
      text.remove_prefix(1);
      open = true;
      continue;
    }
    const std::optional<uint32_t> number = TakeNumber(text);
    if (!number) {
      return std::nullopt;
    }
    if (!open) {
      partial.version.at(place) = *number;
      partial.given = place + 1;
    }
  }
  return text.empty() ? std::optional(partial) : std::nullopt;
}

// The first version that is not one of the first `given` numbers of `version` any more.
Version After(const Version& version, size_t given) {
  if (given == 0) {
    return kAbove;
  }
  Version next{};
  std::copy_n(version.begin(), given, next.begin());
  ++next.at(given - 1);
  return next;
}

// From `low` on, before `high`.
struct Interval {
  Version low{};
  Version high = kAbove;
};

// Of how many numbers the range of ^ keeps the value: all up to the first that is not 0.
size_t CaretDepth(const Partial& partial) {
  size_t depth = 1;
  while (depth < partial.given && partial.version.at(depth - 1) == 0) {
    ++depth;
  }
  return std::min(depth, partial.given);
}

std::optional<Interval> IntervalOf(std::string_view comparator) {
  const size_t length = std::min(comparator.find_first_not_of("<>=^~"), comparator.size());
  const std::string_view what = comparator.substr(0, length);
  const std::optional<Partial> partial = ParsePartial(Trim(comparator.substr(length)));
  if (!partial) {
    return std::nullopt;
  }
  const Version& low = partial->version;
  const size_t given = partial->given;
  if (what.empty() || what == "=") {
    return Interval{low, After(low, given)};
  }
  if (what == "~" || what == "~>") {
    return Interval{low, After(low, std::min<size_t>(given, 2))};
  }
  if (what == "^") {
    return Interval{low, After(low, CaretDepth(*partial))};
  }
  if (what == ">=") {
    return Interval{low, kAbove};
  }
  if (what == ">") {
    return Interval{After(low, given), kAbove};
  }
  if (what == "<") {
    return Interval{{}, low};
  }
  if (what == "<=") {
    return Interval{{}, After(low, given)};
  }
  return std::nullopt;
}

bool IsIn(const Version& version, const std::optional<Interval>& interval) {
  return interval && version >= interval->low && version < interval->high;
}

// Comparators that all must hold.
bool HoldsAll(const Version& version, std::string_view set) {
  if (const size_t hyphen = set.find(" - "); hyphen != std::string_view::npos) {
    const std::string from = ">=" + std::string(Trim(set.substr(0, hyphen)));
    const std::string to = "<=" + std::string(Trim(set.substr(hyphen + 3)));
    return IsIn(version, IntervalOf(from)) && IsIn(version, IntervalOf(to));
  }
  set = Trim(set);
  if (set.empty()) {
    return true;
  }
  while (!set.empty()) {
    // An operator may stand apart from its version.
    const size_t number = std::min(set.find_first_not_of("<>=^~ "), set.size());
    const size_t end = std::min(set.find(' ', number), set.size());
    if (!IsIn(version, IntervalOf(Trim(set.substr(0, end))))) {
      return false;
    }
    set = Trim(set.substr(end));
  }
  return true;
}

}  // namespace

Version VersionOf(std::string_view debian) {
  if (const size_t epoch = debian.find(':'); epoch != std::string_view::npos) {
    debian.remove_prefix(epoch + 1);
  }
  Version version{};
  for (uint32_t& number : version) {
    const std::optional<uint32_t> value = TakeNumber(debian);
    if (!value) {
      break;
    }
    number = *value;
    if (debian.empty() || debian.front() != '.') {
      break;
    }
    debian.remove_prefix(1);
  }
  return version;
}

std::string VersionText(const Version& version) {
  return std::to_string(version[0]) + "." + std::to_string(version[1]) + "." + std::to_string(version[2]);
}

bool IsInRange(const Version& version, std::string_view range) {
  if (range.size() > kMaxRangeBytes) {
    return false;
  }
  while (true) {
    const size_t bar = range.find("||");
    if (HoldsAll(version, range.substr(0, bar))) {
      return true;
    }
    if (bar == std::string_view::npos) {
      return false;
    }
    range.remove_prefix(bar + 2);
  }
}

}  // namespace caisson::gateway
