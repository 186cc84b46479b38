// Decodes the output files of one sandbox (ipc/run_streams.h) from its pipe. Runs in the dispatcher. init
// writes the stream, but it has walked a hostile payload's files and could be subverted, so every field is
// range-checked, the order is held, and counts and totals are bounded. Fuzzed by tests/fuzz/output_fuzz.cc.
#ifndef CAISSON_IPC_OUTPUT_DECODER_H_
#define CAISSON_IPC_OUTPUT_DECODER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "ipc/run_streams.h"

namespace caisson::ipc {

struct OutputFileInfo {
  std::string_view path;  // relative, without empty, "." and ".." components and NUL; maybe not UTF-8
  uint64_t size_bytes = 0;
  bool executable = false;
};

// Hears of the files as they come. For each file: OnFile, any number of OnData with at least one byte,
// together at most size_bytes, then OnFileEnd, unless the stream stops before.
class OutputSink {
 public:
  virtual ~OutputSink() = default;
  virtual void OnFile(const OutputFileInfo& file) = 0;
  virtual void OnData(std::span<const std::byte> bytes) = 0;
  // `complete`: the bytes were exactly size_bytes. Otherwise the file could not be read to its end, because
  // of `error_number`; 0 = nobody knows why.
  virtual void OnFileEnd(bool complete, int error_number) = 0;
  // `path`: as the payload named it, 1 to kMaxPathBytes bytes of anything but NUL. `error_number`: 0 = none.
  virtual void OnRefused(std::string_view path, wire::OutputRefusal reason, int error_number) = 0;
  // The last word. `unlisted`: refusals beyond those told.
  virtual void OnDone(uint64_t unlisted) = 0;
};

// Takes the pipe's bytes in whatever pieces they arrive. Not thread-safe.
class OutputDecoder {
 public:
  // `sink` outlives the decoder.
  explicit OutputDecoder(OutputSink& sink) : sink_(sink) {}

  // Hands on what is complete in `bytes`, content as soon as it is there. kInvalidArgument at the first
  // violation: what came before it was handed on, and the decoder is broken for good, returning the same
  // error to every later call.
  absl::Status Feed(std::span<const std::byte> bytes);

  // The stream came to its proper end. False at end of file means that it was cut off, which is no violation:
  // init is killed when its time is over.
  bool done() const { return done_; }

 private:
  absl::Status TakeHeader();
  absl::Status TakeBytes(std::span<const std::byte> bytes);
  absl::Status CheckFile() const;
  absl::Status CheckData() const;
  absl::Status CheckFileEnd() const;
  absl::Status CheckRefused() const;
  absl::Status CheckDone() const;
  absl::Status TakePath();

  OutputSink& sink_;
  absl::Status failure_;
  std::array<std::byte, sizeof(wire::OutputHeader)> partial_{};
  size_t partial_bytes_ = 0;
  wire::OutputHeader header_{};  // of the record whose bytes are still to come
  uint32_t bytes_left_ = 0;      // of those
  std::string path_;             // of a kFile or kRefused, so far
  bool in_file_ = false;
  uint64_t file_left_ = 0;  // bytes of the file that have not come yet
  uint64_t total_bytes_ = 0;
  uint32_t files_ = 0;
  uint32_t refusals_ = 0;
  bool done_ = false;
};

}  // namespace caisson::ipc

#endif  // CAISSON_IPC_OUTPUT_DECODER_H_
