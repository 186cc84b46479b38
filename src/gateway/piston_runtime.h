// What Piston calls runtimes: the daemon's profiles under Piston's names of languages. Pure. Untrusted: the
// names and ranges by which clients ask for one.
#ifndef CAISSON_GATEWAY_PISTON_RUNTIME_H_
#define CAISSON_GATEWAY_PISTON_RUNTIME_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "caisson/v1/run.pb.h"
#include "gateway/version_range.h"

namespace caisson::gateway {

struct PistonRuntime {
  std::string language;
  Version version{};
  std::vector<std::string> aliases;
  std::string runtime;  // Piston's name for the toolchain, where that is not the language's; often empty
  std::string profile;
  std::string extension;  // ".py"; empty: files have none
  std::string main_file;  // for a program without a name
  bool compiled = false;
  bool takes_binary = false;  // the program may be other than text
  v1::Limits ceilings;
};

// Of the profiles that can run.
std::vector<PistonRuntime> RuntimesOf(const v1::ListProfilesResponse& profiles);

// The newest of that name or alias within the range; null: none.
const PistonRuntime* FindRuntime(const std::vector<PistonRuntime>& runtimes, std::string_view language,
                                 std::string_view range);

// GET /api/v2/runtimes, GET /api/v2/packages.
std::string RuntimesJson(const std::vector<PistonRuntime>& runtimes);
std::string PackagesJson(const std::vector<PistonRuntime>& runtimes);

}  // namespace caisson::gateway

#endif  // CAISSON_GATEWAY_PISTON_RUNTIME_H_
