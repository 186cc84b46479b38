// Reads the output files of one sandbox from init's pipe: decodes them, hands them on, and pauses while
// whoever takes them does not keep up, which pauses init. Runs on the I/O thread, over a stream init made of
// a payload's files: untrusted.
#ifndef CAISSON_DISPATCHER_OUTPUT_COLLECTOR_H_
#define CAISSON_DISPATCHER_OUTPUT_COLLECTOR_H_

#include <sys/epoll.h>

#include <functional>
#include <span>
#include <utility>

#include "absl/status/status.h"
#include "common/event_loop.h"
#include "common/unique_fd.h"
#include "dispatcher/watched_fd.h"
#include "ipc/output_decoder.h"

namespace caisson::dispatcher {

class OutputCollector {
 public:
  struct Handlers {
    std::function<bool()> has_room;  // may another piece be delivered now?
    std::function<void()> on_end;    // once, at the end of the stream or at its first violation
  };

  // `scratch` is shared with others of the I/O thread; it and `sink` outlive the collector.
  OutputCollector(EventLoop& loop, std::span<char> scratch, ipc::OutputSink& sink, Handlers handlers)
      : scratch_(scratch),
        decoder_(sink),
        handlers_(std::move(handlers)),
        pipe_(loop, EPOLLIN, [this] { OnReady(); }) {}
  OutputCollector(const OutputCollector&) = delete;
  OutputCollector& operator=(const OutputCollector&) = delete;

  // Takes the pipe and makes it non-blocking. Nothing is read before the first Resume.
  absl::Status Start(UniqueFd pipe);
  // To be called when has_room may have become true.
  void Resume();
  // Stops reading and closes, which ends a collector that still writes; on_end does not come.
  void Close() { pipe_.Close(); }

  bool ended() const { return !pipe_.valid(); }
  // Why the stream was not read to its end; OK if it was, or was cut off.
  const absl::Status& violation() const { return violation_; }

 private:
  void OnReady();

  const std::span<char> scratch_;
  ipc::OutputDecoder decoder_;
  Handlers handlers_;
  WatchedFd pipe_;
  absl::Status violation_;
};

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_OUTPUT_COLLECTOR_H_
