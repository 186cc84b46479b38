// Untrusted input: every message of an interactive client. What is kept of them is bounded: standard input by
// kMaxWaitingBytes and one message, of signals and sizes the last of each.
#include "dispatcher/run_input.h"

#include <sys/ioctl.h>

#include <cerrno>
#include <csignal>
#include <utility>

#include "common/clock.h"
#include "common/status.h"

namespace caisson::dispatcher {
namespace {

constexpr char kEndOfTransmission = '\x04';  // VEOF of a new terminal
// The same signal again within this time is one signal, as it would be while the first is pending.
constexpr int64_t kSameSignalNanos = 10 * kNanosPerMilli;

struct NamedSignal {
  const char* name;
  int number;
};
constexpr std::array kSignals = {NamedSignal{"HUP", SIGHUP},   NamedSignal{"INT", SIGINT},
                                 NamedSignal{"QUIT", SIGQUIT}, NamedSignal{"USR1", SIGUSR1},
                                 NamedSignal{"USR2", SIGUSR2}, NamedSignal{"ALRM", SIGALRM},
                                 NamedSignal{"TERM", SIGTERM}, NamedSignal{"CONT", SIGCONT},
                                 NamedSignal{"TSTP", SIGTSTP}, NamedSignal{"WINCH", SIGWINCH}};

absl::Status SetSize(int terminal, TerminalSize size) {
  winsize asked{};
  asked.ws_row = size.rows;
  asked.ws_col = size.columns;
  return ioctl(terminal, TIOCSWINSZ, &asked) == 0 ? absl::OkStatus()
                                                  : ErrnoStatus(errno, "size the terminal");
}

}  // namespace

int SignalNumber(const std::string& name) {
  for (const NamedSignal& signal : kSignals) {
    if (name == signal.name) {
      return signal.number;
    }
  }
  return 0;
}

RunInput::RunInput(EventLoop& loop, InputSpec spec, Effects effects)
    : stdin_(loop, std::move(spec.stdin_data)),
      effects_(std::move(effects)),
      ended_(!spec.interactive),
      terminal_(spec.terminal) {
  if (spec.interactive) {
    stdin_.Stream([this] { effects_.on_room(); });
  }
}

absl::Status RunInput::Take(UniqueFd fd) {
  if (terminal_.has_value()) {
    RETURN_IF_ERROR(SetSize(fd.get(), *terminal_));
  }
  return stdin_.Start(std::move(fd));
}

std::string RunInput::Accept(const v1::InteractRequest& message) {
  switch (message.message_case()) {
    case v1::InteractRequest::kStdin:
      return AcceptStdin(message.stdin());
    case v1::InteractRequest::kEof:
      return AcceptEof();
    case v1::InteractRequest::kSignal:
      return AcceptSignal(message.signal().name());
    case v1::InteractRequest::kResize:
      return AcceptResize(message.resize());
    case v1::InteractRequest::kCancel:
      effects_.cancel();
      return "";
    case v1::InteractRequest::kOpen:
      return "open came a second time";
    case v1::InteractRequest::kFile:
      return "a file came after the run was submitted";
    default:
      return "a message without content, or with a field this server does not know";
  }
}

std::string RunInput::AcceptStdin(const std::string& data) {
  if (ended_) {
    return "stdin came after eof";
  }
  if (data.size() > kMaxStdinMessageBytes) {
    return "a stdin message of more than " + std::to_string(kMaxStdinMessageBytes) + " bytes";
  }
  stdin_.Append(data);
  return "";
}

std::string RunInput::AcceptEof() {
  if (ended_) {
    return "eof came a second time";
  }
  OnInputEnd();
  return "";
}

void RunInput::OnInputEnd() {
  if (std::exchange(ended_, true)) {
    return;
  }
  if (terminal_.has_value()) {
    // A terminal has no end; its line discipline makes one of this character.
    stdin_.Append(std::string_view(&kEndOfTransmission, 1));
  } else {
    stdin_.End();
  }
}

std::string RunInput::AcceptSignal(const std::string& name) {
  const int number = SignalNumber(name);
  if (number == 0) {
    return "a signal that is not on the list";
  }
  const int64_t now = MonotonicNanos();
  int64_t& last = last_signal_ns_.at(static_cast<size_t>(number));
  if (last == 0 || now - last > kSameSignalNanos) {
    last = now;
    effects_.send_signal(number);
  }
  return "";
}

std::string RunInput::AcceptResize(const v1::InteractRequest::Resize& resize) {
  if (!terminal_.has_value()) {
    return "resize came to a run without a terminal";
  }
  if (resize.rows() == 0 || resize.rows() > kMaxTerminalSide || resize.columns() == 0 ||
      resize.columns() > kMaxTerminalSide) {
    return "a terminal's sides are from 1 to " + std::to_string(kMaxTerminalSide);
  }
  terminal_ = TerminalSize{static_cast<uint16_t>(resize.rows()), static_cast<uint16_t>(resize.columns())};
  if (stdin_.fd() >= 0) {
    static_cast<void>(SetSize(stdin_.fd(), *terminal_));  // A terminal that is just going away needs no size.
  }
  return "";
}

}  // namespace caisson::dispatcher
