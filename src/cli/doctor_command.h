// `caisson doctor`: hands over to `caissond --check`, which tries every control on this host by using it.
#ifndef CAISSON_CLI_DOCTOR_COMMAND_H_
#define CAISSON_CLI_DOCTOR_COMMAND_H_

#include <string>
#include <vector>

namespace caisson::cli {

// Becomes caissond (execv), so output and exit code are its own; returns only when there is no caissond to
// become.
int DoctorCommand(bool json, const std::string& config_file);

// What the service that `deploy/` installs is configured with.
inline constexpr char kServiceConfig[] = "/etc/caisson/caissond.json";

// The configuration to look at: `flag`, else `service_config` where there is one, else "": the defaults. One
// that this user may not see is there, as far as anybody can tell.
std::string ConfigToCheck(const std::string& flag, const std::string& service_config);

// The directory of the running program, "" if /proc is not there.
std::string ExecutableDirectory();

// Where caissond may be, best first: beside this program, ../sbin, the directories of `path` (as in $PATH),
// the usual sbin directories, which ordinary users' PATH lacks.
std::vector<std::string> CaissondCandidates(const std::string& executable_directory, const std::string& path);

}  // namespace caisson::cli

#endif  // CAISSON_CLI_DOCTOR_COMMAND_H_
