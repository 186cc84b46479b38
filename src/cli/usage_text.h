// What is wrong with a command line, in one line. The words are the user's own: they are made printable.
#ifndef CAISSON_CLI_USAGE_TEXT_H_
#define CAISSON_CLI_USAGE_TEXT_H_

#include <CLI/CLI.hpp>
#include <string>

namespace caisson::cli {

// Why `app` refused the command line, with the nearest name where one is mistyped, and whose --help says
// more.
std::string UsageText(const CLI::App& app, int argc, char** argv, const CLI::ParseError& error);

// "unknown option --profil; did you mean '--profile'?", among those of `command`.
std::string UnknownOptionText(const CLI::App& command, const std::string& word);

}  // namespace caisson::cli

#endif  // CAISSON_CLI_USAGE_TEXT_H_
