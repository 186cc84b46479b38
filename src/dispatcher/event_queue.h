// The events of one call on their way to the client: numbered, in one order, and few. When a stream has its
// share of places taken, whoever fills it stops reading the payload's pipe, so a slow reader slows its own
// payload and costs a fixed amount of memory.
#ifndef CAISSON_DISPATCHER_EVENT_QUEUE_H_
#define CAISSON_DISPATCHER_EVENT_QUEUE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>

#include "caisson/v1/run.pb.h"

namespace caisson::dispatcher {

enum class Lane : uint8_t { kControl = 0, kStdout = 1, kStderr = 2, kFiles = 3 };
inline constexpr size_t kLanes = 4;

// Owned by the I/O thread.
class EventQueue {
 public:
  // Events waiting or being written of one lane, when its source stops reading. One read of the files' pipe
  // may go beyond it, since it can hold many small files.
  static constexpr size_t kMaxOutputEvents = 4;

  bool HasRoom(Lane lane) const {
    return lane == Lane::kControl || in_use_.at(Index(lane)) < kMaxOutputEvents;
  }

  void Push(Lane lane, v1::RunEvent event) {
    ++in_use_.at(Index(lane));
    waiting_.push_back(Entry{lane, std::move(event)});
  }

  bool empty() const { return waiting_.empty(); }
  bool writing() const { return writing_; }

  // The next event, with its sequence number; its place stays taken until Written.
  v1::RunEvent TakeNext() {
    Entry entry = std::move(waiting_.front());
    waiting_.pop_front();
    writing_ = true;
    writing_lane_ = entry.lane;
    entry.event.set_sequence(++sequence_);
    return std::move(entry.event);
  }

  void Written() {
    writing_ = false;
    --in_use_.at(Index(writing_lane_));
  }

  // Forgets what waits: nobody will read it.
  void Clear() {
    for (const Entry& entry : waiting_) {
      --in_use_.at(Index(entry.lane));
    }
    waiting_.clear();
  }

 private:
  struct Entry {
    Lane lane;
    v1::RunEvent event;
  };
  static size_t Index(Lane lane) { return static_cast<size_t>(lane); }

  std::deque<Entry> waiting_;
  std::array<size_t, kLanes> in_use_{};
  uint64_t sequence_ = 0;
  bool writing_ = false;
  Lane writing_lane_ = Lane::kControl;
};

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_EVENT_QUEUE_H_
