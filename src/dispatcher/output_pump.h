// Reads one output pipe of a payload: cuts it into events, counts it, holds it to output_bytes, and pauses
// while the client does not keep up. Runs on the I/O thread; the bytes are a payload's and never looked at.
#ifndef CAISSON_DISPATCHER_OUTPUT_PUMP_H_
#define CAISSON_DISPATCHER_OUTPUT_PUMP_H_

#include <sys/epoll.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "common/event_loop.h"
#include "common/unique_fd.h"
#include "dispatcher/watched_fd.h"

namespace caisson::dispatcher {

// One pipe is 64 KiB; so is one event.
inline constexpr size_t kMaxChunkBytes = 64UL * 1024;

struct OutputCount {
  uint64_t bytes = 0;  // written by the program and read by us
  uint64_t delivered_bytes = 0;
  bool truncated = false;
};

// What all pumps of the I/O thread share; outlives them.
struct PumpResources {
  int discard = -1;         // /dev/null open for writing, opened before the self-lockdown
  std::span<char> scratch;  // kMaxChunkBytes
};

class OutputPump {
 public:
  struct Handlers {
    std::function<bool()> has_room;  // may another chunk be delivered now?
    std::function<void(uint64_t offset, std::string data)> on_data;
    std::function<void()> on_limit;  // once, when the program has written more than the limit
    std::function<void()> on_end;    // once, at end of file
  };

  OutputPump(EventLoop& loop, const PumpResources& resources, uint64_t limit_bytes, Handlers handlers)
      : resources_(resources),
        limit_bytes_(limit_bytes),
        handlers_(std::move(handlers)),
        pipe_(loop, EPOLLIN, [this] { OnReady(); }) {}
  OutputPump(const OutputPump&) = delete;
  OutputPump& operator=(const OutputPump&) = delete;

  // Makes `pipe` non-blocking and starts reading it.
  absl::Status Start(UniqueFd pipe);
  // To be called when has_room may have become true.
  void Resume();
  // From now on what is read is counted and dropped: nobody listens any more.
  void Discard();
  // Stops reading and closes; on_end does not come.
  void Close() { pipe_.Close(); }

  bool ended() const { return !pipe_.valid(); }
  const OutputCount& count() const { return count_; }

 private:
  void OnReady();
  void ReadChunk();
  void DropChunk();
  void End();
  void CheckLimit();

  const PumpResources& resources_;
  const uint64_t limit_bytes_;
  Handlers handlers_;
  WatchedFd pipe_;
  OutputCount count_;
  bool discarding_ = false;
};

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_OUTPUT_PUMP_H_
