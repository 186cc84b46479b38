// Writes the records of output files (ipc/run_streams.h) to the pipe, and counts what the bounds there are
// about.
#ifndef CAISSON_SANDBOX_INIT_COLLECT_STREAM_H_
#define CAISSON_SANDBOX_INIT_COLLECT_STREAM_H_

#include <stdint.h>

#include "ipc/run_streams.h"

namespace caisson::init {

// One record as it is written. Too large for a stack frame that is not needed most of the time.
struct OutputFrame {
  wire::OutputHeader header;
  unsigned char bytes[wire::kMaxOutputChunkBytes];
};

class OutputStream {
 public:
  OutputStream(int pipe, OutputFrame& frame) : pipe_(pipe), frame_(frame) {}

  // Nobody reads any more: there is no point in going on.
  bool is_broken() const { return is_broken_; }
  uint32_t files() const { return files_; }
  uint64_t room_bytes() const { return wire::kMaxOutputTotalBytes - total_bytes_; }

  // `size` is at most room_bytes(), files() below its bound.
  void BeginFile(const char* path, uint32_t path_bytes, uint64_t size, bool is_executable);
  // Where the next piece of content is to be put; then `bytes` of it, 1 to kMaxOutputChunkBytes, are sent.
  unsigned char* room() { return frame_.bytes; }
  void SendContent(uint32_t bytes);
  // `error`: 0, or why the content stops before its size; `is_complete` says whether it does.
  void EndFile(bool is_complete, int error);
  // Lists the path, or only counts it once enough are listed. A longer path than fits is cut.
  void Refuse(const char* path, uint32_t path_bytes, wire::OutputRefusal reason, int error = 0);
  void Done();

 private:
  void Send(const wire::OutputHeader& header);

  int pipe_;
  OutputFrame& frame_;
  bool is_broken_ = false;
  uint32_t files_ = 0;
  uint64_t total_bytes_ = 0;
  uint32_t refusals_ = 0;
  uint64_t unlisted_ = 0;
};

}  // namespace caisson::init

#endif  // CAISSON_SANDBOX_INIT_COLLECT_STREAM_H_
