// `caisson run OPTIONS -- FILE ARG...`: CLI11 hands what follows the dashes to the parent of a command that
// has no arguments of its own, so they are looked for before it parses.
#ifndef CAISSON_CLI_TWO_DASHES_H_
#define CAISSON_CLI_TWO_DASHES_H_

#include <CLI/CLI.hpp>

namespace caisson::cli {

// Not a flag.
bool TakesValue(const CLI::Option& option);

// How many words stand before the "--" that ends the options of `command`, one of `app`'s; `argc` where there
// is none. One that is an option's value or comes after the first argument is another.
int WordsBeforeDashes(const CLI::App& app, const CLI::App& command, int argc, char** argv);

}  // namespace caisson::cli

#endif  // CAISSON_CLI_TWO_DASHES_H_
