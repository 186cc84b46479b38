#include "cli/usage_text.h"

#include <string_view>
#include <vector>

#include "cli/text.h"
#include "cli/two_dashes.h"
#include "policy/nearest.h"

namespace caisson::cli {
namespace {

// How far the words name commands, and what is wrong with the first that does not.
struct Walk {
  const CLI::App* command = nullptr;
  std::string words = "caisson";
  std::string complaint;
};

Walk WalkCommands(const CLI::App& app, int argc, char** argv) {
  Walk walk{&app, "caisson", ""};
  for (int index = 1; index < argc; ++index) {
    const std::string word = argv[index];
    if (word.starts_with("-")) {
      const std::string name = word.substr(0, word.find('='));
      const CLI::Option* option = walk.command->get_option_no_throw(name);
      if (option == nullptr && word.starts_with("--") && word.size() > 2) {
        walk.complaint = UnknownOptionText(*walk.command, name);
        return walk;
      }
      index += option != nullptr && TakesValue(*option) && name == word ? 1 : 0;
      continue;
    }
    std::vector<std::string> names;
    const CLI::App* next = nullptr;
    for (const CLI::App* command : walk.command->get_subcommands([](const CLI::App*) { return true; })) {
      names.push_back(command->get_name());
      next = command->get_name() == word ? command : next;
    }
    if (next == nullptr) {
      if (!names.empty()) {
        walk.complaint = "no command is named '" + Printable(word) + "'" + policy::DidYouMean(names, word);
      }
      return walk;
    }
    walk.command = next;
    walk.words += " " + word;
  }
  return walk;
}

// What CLI11 says, in words that the rest of the program uses too.
std::string Reworded(const CLI::App& app, const CLI::App& command, const CLI::ParseError& error) {
  const std::string said = error.what();
  const std::string subject = said.substr(0, said.find_first_of(": "));
  if (dynamic_cast<const CLI::RequiredError*>(&error) != nullptr) {
    return (command.get_require_subcommand_min() > 0 ? "COMMAND" : subject) + " is missing";
  }
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr && said.ends_with("override")) {
    return (subject.size() == 1 ? "-" : "--") + subject + ": takes no value";
  }
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr) {
    return subject + (said.ends_with("missing") ? ": the value is missing" : ": is given more than once");
  }
  if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr) {
    const std::vector<std::string> left = app.remaining(true);
    if (!left.empty() && left.front().size() > 1 && left.front().front() == '-') {
      return UnknownOptionText(command, left.front());
    }
    return left.empty() ? said : "unexpected argument '" + left.front() + "'";
  }
  return said;
}

}  // namespace

std::string UsageText(const CLI::App& app, int argc, char** argv, const CLI::ParseError& error) {
  const Walk walk = WalkCommands(app, argc, argv);
  const std::string text = walk.complaint.empty() ? Reworded(app, *walk.command, error) : walk.complaint;
  return Printable(text) + "; see " + walk.words + " --help";
}

std::string UnknownOptionText(const CLI::App& command, const std::string& word) {
  std::vector<std::string> names;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) {
      names.push_back("--" + name);
    }
  }
  const bool is_long = word.starts_with("--");
  return "unknown option " + Printable(word) + (is_long ? policy::DidYouMean(names, word) : "");
}

}  // namespace caisson::cli
