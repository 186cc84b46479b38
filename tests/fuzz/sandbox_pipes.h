// The pipes between the dispatcher and a sandbox that a fuzz target plays, or the terminal in the place of
// two of them.
#ifndef CAISSON_TESTS_FUZZ_SANDBOX_PIPES_H_
#define CAISSON_TESTS_FUZZ_SANDBOX_PIPES_H_

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <string>
#include <utility>

#include "common/status.h"
#include "common/unique_fd.h"
#include "ipc/messages.h"

namespace caisson::dispatcher {

// The dispatcher's, in the order of ipc::PreparedFd.
using OuterEnds = std::array<UniqueFd, ipc::kPreparedFds>;

// The sandbox's. Nothing blocks: a pipe that is full, empty or left by the other side is the same to the
// target.
class SandboxPipes {
 public:
  OuterEnds Open(bool tty) {
    OuterEnds outer;
    if (tty) {
      OpenTerminal(outer[0], stdin_read_);
      outer[1].reset(fcntl(outer[0].get(), F_DUPFD_CLOEXEC, 0));
      stdout_write_.reset(fcntl(stdin_read_.get(), F_DUPFD_CLOEXEC, 0));
    } else {
      OpenPipe(stdin_read_, outer[0]);
      OpenPipe(outer[1], stdout_write_);
    }
    OpenPipe(outer[2], stderr_write_);
    OpenPipe(outer[3], events_write_);
    OpenPipe(outer[4], outputs_write_);
    return outer;
  }
  // Prints something, and reads something.
  void Talk() {
    std::array<char, 4096> buffer{};
    Print(stdout_write_, std::string(buffer.size(), 'y'));
    [[maybe_unused]] const ssize_t taken = read(stdin_read_.get(), buffer.data(), buffer.size());
  }
  void CloseStdin() { stdin_read_.reset(); }
  // The stream of output files.
  void Collect(const std::string& stream) { Print(outputs_write_, stream); }

 private:
  static void OpenPipe(UniqueFd& reader, UniqueFd& writer) {
    std::array<int, 2> ends{};
    CAISSON_CHECK(pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) == 0);
    reader.reset(ends[0]);
    writer.reset(ends[1]);
  }
  static void OpenTerminal(UniqueFd& master, UniqueFd& terminal) {
    constexpr int kFlags = O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK;
    std::array<char, 64> name{};
    master.reset(posix_openpt(kFlags));
    CAISSON_CHECK(master.valid() && unlockpt(master.get()) == 0);
    CAISSON_CHECK(ptsname_r(master.get(), name.data(), name.size()) == 0);
    terminal.reset(open(name.data(), kFlags));
    CAISSON_CHECK(terminal.valid());
  }
  static void Print(const UniqueFd& fd, const std::string& text) {
    [[maybe_unused]] const ssize_t written = write(fd.get(), text.data(), text.size());
  }

  UniqueFd stdin_read_;
  UniqueFd stdout_write_;
  UniqueFd stderr_write_;
  UniqueFd events_write_;
  UniqueFd outputs_write_;
};

}  // namespace caisson::dispatcher

#endif  // CAISSON_TESTS_FUZZ_SANDBOX_PIPES_H_
