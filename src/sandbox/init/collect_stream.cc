// Runs in caisson-init. The pipe's reader is the dispatcher, which may be slow, or gone.
#include "sandbox/init/collect_stream.h"

#include "sandbox/init/syscall.h"

namespace caisson::init {

using wire::OutputHeader;
using wire::OutputRecord;
using wire::OutputRefusal;

// Blocks while the pipe is full; caissond ends this process when its time is over.
void OutputStream::Send(const OutputHeader& header) {
  frame_.header = header;
  const auto* bytes = reinterpret_cast<const unsigned char*>(&frame_);
  uint64_t left = sizeof frame_.header + header.bytes;
  while (left > 0 && !is_broken_) {
    const long sent = Write(pipe_, bytes, left);
    if (sent <= 0) {
      // No handler interrupts init; whatever this is, the reader would see a torn stream.
      is_broken_ = true;
      return;
    }
    bytes += sent;
    left -= static_cast<uint64_t>(sent);
  }
}

void OutputStream::BeginFile(const char* path, uint32_t path_bytes, uint64_t size, bool is_executable) {
  ++files_;
  total_bytes_ += size;
  __builtin_memcpy(frame_.bytes, path, path_bytes);
  Send({wire::kOutputMagic, OutputRecord::kFile, path_bytes, is_executable ? 1U : 0U, OutputRefusal::kNone, 0,
        size});
}

void OutputStream::SendContent(uint32_t bytes) {
  Send({wire::kOutputMagic, OutputRecord::kData, bytes, 0, OutputRefusal::kNone, 0, 0});
}

void OutputStream::EndFile(bool is_complete, int error) {
  Send({wire::kOutputMagic, OutputRecord::kFileEnd, 0, 0,
        is_complete ? OutputRefusal::kNone : OutputRefusal::kReadFailed, 0,
        is_complete ? 0 : static_cast<uint64_t>(error)});
}

void OutputStream::Refuse(const char* path, uint32_t path_bytes, OutputRefusal reason, int error) {
  if (refusals_ == wire::kMaxOutputRefusals) {
    ++unlisted_;
    return;
  }
  ++refusals_;
  const uint32_t bytes = path_bytes < wire::kMaxPathBytes ? path_bytes : wire::kMaxPathBytes;
  __builtin_memcpy(frame_.bytes, path, bytes);
  Send({wire::kOutputMagic, OutputRecord::kRefused, bytes, 0, reason, 0, static_cast<uint64_t>(error)});
}

void OutputStream::Done() {
  Send({wire::kOutputMagic, OutputRecord::kDone, 0, 0, OutputRefusal::kNone, 0, unlisted_});
}

}  // namespace caisson::init
