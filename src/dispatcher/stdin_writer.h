// Writes standard input into the payload's pipe or terminal, as fast as the payload reads. Runs on the I/O
// thread.
#ifndef CAISSON_DISPATCHER_STDIN_WRITER_H_
#define CAISSON_DISPATCHER_STDIN_WRITER_H_

#include <sys/epoll.h>

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "common/event_loop.h"
#include "common/unique_fd.h"
#include "dispatcher/watched_fd.h"

namespace caisson::dispatcher {

class StdinWriter {
 public:
  // `data` is all there is: the pipe is closed after it. Until Stream is called.
  StdinWriter(EventLoop& loop, std::string data)
      : data_(std::move(data)), first_left_(data_.size()), pipe_(loop, EPOLLOUT, [this] { Write(); }) {}
  StdinWriter(const StdinWriter&) = delete;
  StdinWriter& operator=(const StdinWriter&) = delete;

  // More may come, until End. `on_drained` is called each time everything has been written.
  void Stream(std::function<void()> on_drained);
  // What comes after the end, or when nobody reads any more, is dropped.
  void Append(std::string_view data);
  void End();

  // A payload that does not read, or closes its end, is normal and no error.
  absl::Status Start(UniqueFd pipe);
  // Closes the pipe and frees what is left.
  void Close();

  // Of what was appended; the first data was there all along.
  size_t waiting_bytes() const { return data_.size() - written_ - first_left_; }
  // -1 before Start and after the end.
  int fd() const { return pipe_.get(); }

 private:
  void Write();

  std::string data_;
  size_t written_ = 0;
  size_t first_left_;  // of the first data
  WatchedFd pipe_;
  bool closed_ = false;
  bool more_ = false;
  std::function<void()> on_drained_;
};

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_STDIN_WRITER_H_
