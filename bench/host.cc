#include "bench/host.h"

#include <sys/utsname.h>

#include <array>
#include <ctime>
#include <fstream>
#include <sstream>
#include <thread>

namespace caisson::bench {
namespace {

std::string ProcessorName() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const size_t colon = line.find(": ");
    if (line.rfind("model name", 0) == 0 && colon != std::string::npos) {
      return line.substr(colon + 2);
    }
  }
  return "unknown processor";
}

std::string UtcTime() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  std::array<char, 32> text{};
  const size_t length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return std::string(text.data(), length);
}

}  // namespace

Host ReadHost() {
  utsname names{};
  uname(&names);
  return {.processor = ProcessorName(),
          .cpus = static_cast<int>(std::thread::hardware_concurrency()),
          .kernel = names.release,
          .time = UtcTime()};
}

std::string ReadLoad() {
  std::ifstream file("/proc/loadavg");
  std::string one;
  std::string five;
  std::string fifteen;
  return file >> one >> five >> fifteen ? one + " " + five + " " + fifteen : "";
}

}  // namespace caisson::bench
