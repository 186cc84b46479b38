#include "cli/two_dashes.h"

#include <string>

namespace caisson::cli {

bool TakesValue(const CLI::Option& option) { return option.get_items_expected_max() > 0; }

int WordsBeforeDashes(const CLI::App& app, const CLI::App& command, int argc, char** argv) {
  const CLI::App* current = &app;
  for (int index = 1; index < argc; ++index) {
    const std::string word = argv[index];
    if (word == "--") {
      return current == &command ? index : argc;
    }
    if (word.size() > 1 && word.front() == '-') {
      const CLI::Option* option = current->get_option_no_throw(word);
      index += option != nullptr && TakesValue(*option) ? 1 : 0;
    } else if (current == &app && word == command.get_name()) {
      current = &command;
    } else {
      return argc;
    }
  }
  return argc;
}

}  // namespace caisson::cli
