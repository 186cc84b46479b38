#include "cli/server.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <utility>

#include "cli/address.h"
#include "common/files.h"
#include "common/status.h"
#include "common/unique_fd.h"
#include "policy/token_secret.h"

namespace caisson::cli {
namespace {

constexpr size_t kMostFileBytes = 256;

absl::Status Refuse(const std::string& file, const std::string& reason) {
  return absl::InvalidArgumentError("token file " + file + ": " + reason);
}

}  // namespace

absl::StatusOr<std::string> ReadTokenFile(const std::string& file) {
  // O_NONBLOCK: a FIFO under this name must not hang us. A link is fine: what counts is the file it leads to.
  const UniqueFd fd(open(file.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
  struct stat info {};
  if (!fd.valid() || fstat(fd.get(), &info) != 0) {
    return Refuse(file, Message(ErrnoStatus(errno, "open")));
  }
  if (!S_ISREG(info.st_mode)) {
    return Refuse(file, "is not a regular file");
  }
  if ((info.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return Refuse(file, "others can use it: chmod 600");
  }
  absl::StatusOr<std::string> text = ReadOpenFile(fd.get(), file, kMostFileBytes);
  if (!text.ok()) {
    return Refuse(file,
                  absl::IsOutOfRange(text.status()) ? "is too large to be a token" : Message(text.status()));
  }
  std::string token = *std::move(text);
  if (token.ends_with('\n')) {
    token.pop_back();
  }
  if (!policy::TokenIdOf(token).has_value()) {
    return Refuse(file, "is not a token: one line that `caisson token create` printed");
  }
  return token;
}

absl::StatusOr<Server> ResolveServer(const ServerOptions& options, const char* socket,
                                     const char* token_file) {
  Server server;
  ASSIGN_OR_RETURN(server.address, ResolveAddress(options.socket, socket));
  std::string file = options.token_file;
  if (file.empty() && token_file != nullptr) {
    file = token_file;
  }
  if (!file.empty()) {
    ASSIGN_OR_RETURN(server.token, ReadTokenFile(file));
  }
  return server;
}

}  // namespace caisson::cli
