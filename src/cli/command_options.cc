#include "cli/command_options.h"

namespace caisson::cli {

void AddSocket(CLI::App& command, std::string& address) {
  command
      .add_option("--socket", address,
                  "The server's address (default: $CAISSON_SOCKET, then unix:/run/caisson/caisson.sock)")
      ->type_name("ADDRESS");
}

void AddList(CLI::App& command, const std::string& name, std::vector<std::string>& values,
             const std::string& type, const std::string& help) {
  command.add_option(name, values, help)->type_name(type)->allow_extra_args(false);
}

}  // namespace caisson::cli
