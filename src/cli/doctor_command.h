// `caisson doctor`: hands over to `caissond --check`, which tries every control on this host by using it.
#ifndef CAISSON_CLI_DOCTOR_COMMAND_H_
#define CAISSON_CLI_DOCTOR_COMMAND_H_

#include <string>
#include <vector>

namespace caisson::cli {

// Becomes caissond (execv), so output and exit code are its own; returns only when there is no caissond to
// become.
int DoctorCommand(bool json, const std::string& config_file);

// The directory of the running program, "" if /proc is not there.
std::string ExecutableDirectory();

// Where caissond may be, best first: beside this program, ../sbin, the directories of `path` (as in $PATH),
// the usual sbin directories, which ordinary users' PATH lacks.
std::vector<std::string> CaissondCandidates(const std::string& executable_directory, const std::string& path);

}  // namespace caisson::cli

#endif  // CAISSON_CLI_DOCTOR_COMMAND_H_
