// Versions of toolchains, and the ranges by which clients of Piston choose among them: those of npm's semver.
// Pure. Untrusted: the ranges.
#ifndef CAISSON_GATEWAY_VERSION_RANGE_H_
#define CAISSON_GATEWAY_VERSION_RANGE_H_

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace caisson::gateway {

// Major, minor, patch.
using Version = std::array<uint32_t, 3>;

// Of a Debian package's version: "3.11.2" of "3.11.2-1+b1", "8.2.0" of "2:8.2+93". Zeros for what is not
// there.
Version VersionOf(std::string_view debian);
std::string VersionText(const Version& version);

// Whether `version` is in `range`: "3.x", "*", "3.11.2", "^1.2", "~1.2.3", ">=1 <3", "1 - 2", "1 || 3". False
// for what is no range. Versions before a release ("1.0.0-beta") are in none.
bool IsInRange(const Version& version, std::string_view range);

}  // namespace caisson::gateway

#endif  // CAISSON_GATEWAY_VERSION_RANGE_H_
