// The output files of a run on their way to its client: cuts them into events, hashes them, and keeps the
// record for the result. Runs on the I/O thread. Names and content are a payload's: names that the API cannot
// carry are refused here, content is never looked at.
#ifndef CAISSON_DISPATCHER_OUTPUT_FILES_H_
#define CAISSON_DISPATCHER_OUTPUT_FILES_H_

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "caisson/v1/run.pb.h"
#include "dispatcher/file_digest.h"
#include "ipc/output_decoder.h"

namespace caisson::dispatcher {

// What became of the output paths of a run.
struct CollectedOutputs {
  std::vector<v1::CollectedFile> files;     // complete ones, at most wire::kMaxOutputFiles
  std::vector<v1::RefusedOutput> refusals;  // at most wire::kMaxOutputRefusals
  uint64_t unlisted_refusals = 0;
  bool complete = false;  // init came to its end
};

// Adds a refusal, or counts it when the list is full.
void AddRefusal(std::string_view path, wire::OutputRefusal reason, int error_number,
                CollectedOutputs& outputs);

class OutputFiles final : public ipc::OutputSink {
 public:
  // `emit` takes the events: pieces of at most 64 KiB, of each complete file exactly as many bytes as it has.
  explicit OutputFiles(std::function<void(v1::RunEvent)> emit) : emit_(std::move(emit)) {}

  CollectedOutputs Take() { return std::move(outputs_); }

  // ipc::OutputSink.
  void OnFile(const ipc::OutputFileInfo& file) override;
  void OnData(std::span<const std::byte> bytes) override;
  void OnFileEnd(bool complete, int error_number) override;
  void OnRefused(std::string_view path, wire::OutputRefusal reason, int error_number) override;
  void OnDone(uint64_t unlisted) override;

 private:
  void EmitPiece();

  std::function<void(v1::RunEvent)> emit_;
  CollectedOutputs outputs_;
  FileDigest digest_;
  // The file that is coming in.
  std::string path_;
  uint64_t size_bytes_ = 0;
  bool executable_ = false;
  bool nameable_ = false;      // its name can be told, so it is delivered
  std::string piece_;          // content not emitted yet, at most 64 KiB
  uint64_t piece_offset_ = 0;  // of its first byte
};

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_OUTPUT_FILES_H_
