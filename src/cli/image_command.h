// `caisson image build`: a root for a profile's sandboxes that shares no file with the host, as one file.
#ifndef CAISSON_CLI_IMAGE_COMMAND_H_
#define CAISSON_CLI_IMAGE_COMMAND_H_

#include <string>
#include <vector>

namespace caisson::cli {

inline constexpr char kImageDirectory[] = "/var/lib/caisson/images";

struct ImageOptions {
  std::string profile;
  std::string directory;              // --profiles; empty: the default one
  std::vector<std::string> packages;  // each a list with commas
  std::vector<std::string> pip;
  std::vector<std::string> npm;
  std::string output;         // empty: below kImageDirectory, by profile and digest
  std::string format;         // squashfs or erofs
  std::string write_profile;  // a file for a profile that uses the image; empty: standard output
  bool force = false;         // replace what is there
  bool dry_run = false;       // say what would be executed
};

// As root. What the tools say goes to standard error. The exit code.
int ImageBuildCommand(const ImageOptions& options);

}  // namespace caisson::cli

#endif  // CAISSON_CLI_IMAGE_COMMAND_H_
