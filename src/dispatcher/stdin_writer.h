// Writes a request's standard input into the payload's pipe, as fast as the payload reads, and closes it.
// Runs on the I/O thread.
#ifndef CAISSON_DISPATCHER_STDIN_WRITER_H_
#define CAISSON_DISPATCHER_STDIN_WRITER_H_

#include <cstddef>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "common/event_loop.h"
#include "common/unique_fd.h"

namespace caisson::dispatcher {

class StdinWriter {
 public:
  StdinWriter(EventLoop& loop, std::string data) : loop_(loop), data_(std::move(data)) {}
  ~StdinWriter() { Close(); }
  StdinWriter(const StdinWriter&) = delete;
  StdinWriter& operator=(const StdinWriter&) = delete;

  // A payload that does not read, or closes its end, is normal and no error.
  absl::Status Start(UniqueFd pipe);
  // Closes the pipe and frees what is left.
  void Close();

 private:
  void Write();

  EventLoop& loop_;
  std::string data_;
  size_t written_ = 0;
  UniqueFd pipe_;
  bool watched_ = false;
};

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_STDIN_WRITER_H_
