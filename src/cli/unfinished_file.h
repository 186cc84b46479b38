// A returned file that has not its place yet: it has a name of its own beside it, which is gone whatever ends
// this program, but for SIGKILL.
#ifndef CAISSON_CLI_UNFINISHED_FILE_H_
#define CAISSON_CLI_UNFINISHED_FILE_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/unique_fd.h"

namespace caisson::cli {

// One thread makes, fills and places it; there can be one at a time.
class UnfinishedFile {
 public:
  // In the directory `parent`.
  static absl::StatusOr<std::unique_ptr<UnfinishedFile>> Create(UniqueFd parent, bool executable);
  UnfinishedFile(const UnfinishedFile&) = delete;
  UnfinishedFile& operator=(const UnfinishedFile&) = delete;
  // Removes it, if it was not placed.
  ~UnfinishedFile();

  int fd() const { return file_.get(); }
  // Closes the file and gives it its name, with the flags of renameat2(2). 0, or an errno.
  int Place(const std::string& name, unsigned int flags);

  // Removes the one there is, and lets no other be made or placed: for any thread, and only where _exit
  // follows. A file system that does not answer is not waited for.
  static void RemoveBeforeExit();

 private:
  UnfinishedFile(UniqueFd parent, std::string name) : parent_(std::move(parent)), name_(std::move(name)) {}
  void Remove() const;

  UniqueFd parent_;
  std::string name_;  // empty: it is not there
  UniqueFd file_;
};

}  // namespace caisson::cli

#endif  // CAISSON_CLI_UNFINISHED_FILE_H_
