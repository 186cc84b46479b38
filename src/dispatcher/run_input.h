// What the client of a run gives it to read: with the request, or message by message while the run is under
// way. On the I/O thread.
#ifndef CAISSON_DISPATCHER_RUN_INPUT_H_
#define CAISSON_DISPATCHER_RUN_INPUT_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "caisson/v1/run.pb.h"
#include "common/event_loop.h"
#include "common/unique_fd.h"
#include "dispatcher/stdin_writer.h"

namespace caisson::dispatcher {

struct TerminalSize {
  uint16_t rows = 0;
  uint16_t columns = 0;
};

// Everything a RunSpec says about it.
struct InputSpec {
  std::string stdin_data;
  bool interactive = false;              // more may come
  std::optional<TerminalSize> terminal;  // instead of three pipes
};

// Messages and their sizes; the whole table is in docs/api.md.
inline constexpr size_t kMaxStdinMessageBytes = 64UL * 1024;
inline constexpr uint32_t kMaxTerminalSide = 1'000;

class RunInput {
 public:
  // Standard input beyond this waits in the client. What came with the request does not count.
  static constexpr size_t kMaxWaitingBytes = 256UL * 1024;

  struct Effects {
    std::function<void(int signal_number)> send_signal;
    std::function<void()> cancel;
    std::function<void()> on_room;  // HasRoom may have become true
  };

  RunInput(EventLoop& loop, InputSpec spec, Effects effects);

  bool has_terminal() const { return terminal_.has_value(); }
  bool HasRoom() const { return stdin_.waiting_bytes() < kMaxWaitingBytes; }

  // The write end of standard input, or the terminal.
  absl::Status Take(UniqueFd fd);
  // One message after `open`. Empty if it was in place; otherwise what is wrong with it, for the client.
  std::string Accept(const v1::InteractRequest& message);
  // The client sends no more: as `eof`, if it has not been said.
  void OnInputEnd();
  // The sandbox is gone.
  void Close() { stdin_.Close(); }

 private:
  std::string AcceptStdin(const std::string& data);
  std::string AcceptEof();
  std::string AcceptSignal(const std::string& name);
  std::string AcceptResize(const v1::InteractRequest::Resize& resize);

  StdinWriter stdin_;
  Effects effects_;
  bool ended_ = false;
  std::optional<TerminalSize> terminal_;
  std::array<int64_t, 65> last_signal_ns_{};
};

// The number for "INT" and its like; 0 for a name that is not on the list.
int SignalNumber(const std::string& name);

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_RUN_INPUT_H_
