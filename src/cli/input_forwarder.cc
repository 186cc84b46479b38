#include "cli/input_forwarder.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>

#include "cli/terminal.h"
#include "common/status.h"

namespace caisson::cli {
namespace {

constexpr size_t kPieceBytes = 16UL * 1024;

}  // namespace

absl::StatusOr<std::unique_ptr<InputForwarder>> InputForwarder::Create(Source source) {
  sigset_t wanted;
  sigemptyset(&wanted);
  sigaddset(&wanted, SIGWINCH);
  if (const int error = pthread_sigmask(SIG_BLOCK, &wanted, nullptr); error != 0) {
    return ErrnoStatus(error, "block SIGWINCH");
  }
  UniqueFd resizes(signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!resizes.valid()) {
    return ErrnoStatus(errno, "make a signalfd");
  }
  UniqueFd stop(eventfd(0, EFD_CLOEXEC));
  if (!stop.valid()) {
    return ErrnoStatus(errno, "make an eventfd");
  }
  return std::unique_ptr<InputForwarder>(new InputForwarder(source, std::move(resizes), std::move(stop)));
}

void InputForwarder::Start(InteractStream& stream) {
  thread_ = std::thread([this, &stream] { Forward(stream); });
}

void InputForwarder::Stop() {
  if (thread_.joinable()) {
    const uint64_t one = 1;
    // An eventfd at 0 takes a 1 without blocking or failing.
    CAISSON_CHECK(write(stop_.get(), &one, sizeof one) == static_cast<ssize_t>(sizeof one));
    thread_.join();
  }
}

void InputForwarder::Forward(InteractStream& stream) const {
  bool open = source_ != Source::kNothing;
  if (!open) {
    v1::InteractRequest request;
    request.mutable_eof();
    static_cast<void>(stream.Write(request));
  }
  for (;;) {
    std::array<pollfd, 3> fds{{{stop_.get(), POLLIN, 0},
                               {source_ == Source::kTerminal ? resizes_.get() : -1, POLLIN, 0},
                               {open ? STDIN_FILENO : -1, POLLIN, 0}}};
    if (poll(fds.data(), fds.size(), -1) < 0) {
      continue;
    }
    if (fds[0].revents != 0) {
      return;
    }
    // A write fails when the call is over; the reader of the stream learns why.
    if (fds[1].revents != 0 && !ForwardSize(stream)) {
      return;
    }
    if (fds[2].revents != 0 && !ForwardInput(stream, open)) {
      return;
    }
  }
}

bool InputForwarder::ForwardSize(InteractStream& stream) const {
  signalfd_siginfo info{};
  while (read(resizes_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
    // Several changes in a row come to one.
  }
  const TerminalSize size = ReadTerminalSize(STDIN_FILENO);
  if (size.rows == 0 || size.columns == 0) {
    return true;
  }
  v1::InteractRequest request;
  request.mutable_resize()->set_rows(size.rows);
  request.mutable_resize()->set_columns(size.columns);
  return stream.Write(request);
}

bool InputForwarder::ForwardInput(InteractStream& stream, bool& open) const {
  std::array<char, kPieceBytes> buffer{};
  const ssize_t count = read(STDIN_FILENO, buffer.data(), buffer.size());
  if (count < 0 && (errno == EINTR || errno == EAGAIN)) {
    return true;
  }
  v1::InteractRequest request;
  if (count > 0) {
    request.set_stdin(buffer.data(), static_cast<size_t>(count));
  } else {
    open = false;  // its end, or an error: there is no more to come either way
    request.mutable_eof();
  }
  return stream.Write(request);
}

}  // namespace caisson::cli
