// The tools that make an image, one after the other, in a directory that is gone afterwards.
#ifndef CAISSON_CLI_IMAGE_BUILDER_H_
#define CAISSON_CLI_IMAGE_BUILDER_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/image_recipe.h"

namespace caisson::cli {

// Makes `file`, mode 0644, from what the registries hold now; tells what came. As root, with HeldSignals: an
// interrupt is kCancelled. Whatever comes of it, nothing else is left.
absl::StatusOr<ImagePackages> BuildImageFile(const ImageRecipe& recipe, const std::string& file);

// One line on standard error.
void SayOfBuild(const std::string& line);

// The words with blanks between.
std::string CommandText(const std::vector<std::string>& words);

}  // namespace caisson::cli

#endif  // CAISSON_CLI_IMAGE_BUILDER_H_
