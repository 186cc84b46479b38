// The files of a directory, as `caisson exec` sends them. The directory is the user's, what lies in it may be
// a stranger's (a pull request): no symbolic link is followed out of it, nothing but ordinary files is
// opened.
#ifndef CAISSON_CLI_SOURCE_TREE_H_
#define CAISSON_CLI_SOURCE_TREE_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace caisson::cli {

struct SourceFile {
  std::string path;  // relative to the directory; valid UTF-8
  std::string content;
  bool executable = false;  // any of its execute bits
};

struct SourceTreeBounds {
  size_t files = 0;
  size_t bytes = 0;  // of all contents
};

inline constexpr char kIgnoreFile[] = ".caissonignore";

// Every ordinary file below `directory` that its .caissonignore does not leave out, in the order of the
// paths' bytes, directory by directory. A link to an ordinary file inside is read as that file.
// kInvalidArgument names all that cannot be sent: links that lead out or to what is left out, dangle or name
// directories, devices, FIFOs, sockets, files that cannot be read. kResourceExhausted beyond `bounds`. Empty
// directories are not sent.
absl::StatusOr<std::vector<SourceFile>> ReadSourceTree(const std::string& directory,
                                                       const SourceTreeBounds& bounds);

}  // namespace caisson::cli

#endif  // CAISSON_CLI_SOURCE_TREE_H_
