// The command line of `caisson image`.
#ifndef CAISSON_CLI_IMAGE_OPTIONS_H_
#define CAISSON_CLI_IMAGE_OPTIONS_H_

#include <CLI/CLI.hpp>

#include "cli/image_command.h"

namespace caisson::cli {

// Adds `image` with its command; returns `build`.
CLI::App* AddImage(CLI::App& app, ImageOptions& image);

}  // namespace caisson::cli

#endif  // CAISSON_CLI_IMAGE_OPTIONS_H_
