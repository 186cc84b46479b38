// caissond --check-config: is what the operator wrote well-formed? Reads the configuration and the profiles
// it names, as a start would, and changes nothing. Needs no root.
#ifndef CAISSON_ORCHESTRATOR_CONFIG_CHECK_H_
#define CAISSON_ORCHESTRATOR_CONFIG_CHECK_H_

#include <string>

namespace caisson::orchestrator {

struct ConfigCheckResult {
  // One complaint a line, "FILE:LINE: KEY: reason" wherever there is a line. Empty: a start would take all of
  // it.
  std::string complaints;
  // What was read, and which profiles this host has no toolchain for.
  std::string notes;
};

// `config_file` empty: the defaults, with the profiles found beside the program.
ConfigCheckResult CheckConfigFiles(const std::string& config_file);

}  // namespace caisson::orchestrator

#endif  // CAISSON_ORCHESTRATOR_CONFIG_CHECK_H_
