#include "cli/doctor_command.h"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "cli/exit_code.h"
#include "cli/streams.h"

namespace caisson::cli {

std::string ExecutableDirectory() {
  std::error_code ignored;
  return std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path().string();
}

std::vector<std::string> CaissondCandidates(const std::string& executable_directory,
                                            const std::string& path) {
  std::vector<std::string> candidates;
  if (!executable_directory.empty()) {
    candidates.push_back(executable_directory + "/caissond");
    candidates.push_back(
        std::filesystem::path(executable_directory + "/../sbin/caissond").lexically_normal().string());
  }
  size_t begin = 0;
  while (begin <= path.size()) {
    const size_t colon = path.find(':', begin);
    const size_t end = colon == std::string::npos ? path.size() : colon;
    // Relative entries (the empty one is the working directory) are how a planted program gets run.
    if (end > begin && path[begin] == '/') {
      candidates.push_back(path.substr(begin, end - begin) + "/caissond");
    }
    begin = end + 1;
  }
  candidates.emplace_back("/usr/local/sbin/caissond");
  candidates.emplace_back("/usr/sbin/caissond");
  return candidates;
}

std::string ConfigToCheck(const std::string& flag, const std::string& service_config) {
  if (!flag.empty()) {
    return flag;
  }
  const bool missing = access(service_config.c_str(), F_OK) != 0 && (errno == ENOENT || errno == ENOTDIR);
  return missing ? "" : service_config;
}

int DoctorCommand(bool json, const std::string& config_file) {
  const char* path = std::getenv("PATH");
  for (const std::string& candidate :
       CaissondCandidates(ExecutableDirectory(), path == nullptr ? "" : path)) {
    if (access(candidate.c_str(), X_OK) != 0) {
      continue;
    }
    if (geteuid() != 0) {
      Complain("most checks build a sandbox and need root; for the whole picture: sudo caisson doctor");
    }
    std::string program = candidate;
    std::string check = "--check";
    std::string json_flag = "--json";
    std::string config_flag = "--config";
    std::string config = ConfigToCheck(config_file, kServiceConfig);
    if (config != config_file) {
      Complain("doctor: with the configuration " + config + "; --config names another");
    }
    std::vector<char*> argv{program.data(), check.data()};
    if (json) {
      argv.push_back(json_flag.data());
    }
    if (!config.empty()) {
      argv.push_back(config_flag.data());
      argv.push_back(config.data());
    }
    argv.push_back(nullptr);
    execv(program.c_str(), argv.data());
    Complain("run " + program + ": " + std::strerror(errno));
    return kExitService;
  }
  Complain(
      "doctor runs `caissond --check`, but caissond is neither beside this program nor in PATH; install it");
  return kExitService;
}

}  // namespace caisson::cli
