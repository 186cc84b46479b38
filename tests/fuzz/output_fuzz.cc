// Fuzzes the dispatcher's decoder of a sandbox's output files. The first byte is the size of the pieces in
// which the rest arrives; what the sink hears must not depend on it, and must keep the sink's contract.
#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "common/status.h"
#include "ipc/output_decoder.h"

namespace caisson::ipc {
namespace {

// Holds the decoder to what OutputSink promises, and writes down what it hears.
class Judge final : public OutputSink {
 public:
  void OnFile(const OutputFileInfo& file) override {
    CAISSON_CHECK(!done_ && !left_.has_value() && !file.path.empty() && file.path.front() != '/');
    CAISSON_CHECK(("/" + std::string(file.path) + "/").find("/../") == std::string::npos);
    CAISSON_CHECK(++files_ <= wire::kMaxOutputFiles && file.path.size() <= wire::kMaxPathBytes);
    total_ += file.size_bytes;
    CAISSON_CHECK(file.size_bytes <= wire::kMaxOutputTotalBytes && total_ <= wire::kMaxOutputTotalBytes);
    left_ = file.size_bytes;
    heard_ += "F" + std::string(file.path) + std::to_string(file.size_bytes) + (file.executable ? "x" : "-");
  }
  void OnData(std::span<const std::byte> bytes) override {
    CAISSON_CHECK(left_.has_value() && !bytes.empty() && bytes.size() <= *left_);
    *left_ -= bytes.size();
    heard_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  void OnFileEnd(bool complete, int error_number) override {
    CAISSON_CHECK(error_number >= 0 && error_number <= (complete ? 0 : 4095));
    CAISSON_CHECK(left_.has_value() && complete == (*left_ == 0));
    left_.reset();
    heard_ += complete ? "E" : "e";
  }
  void OnRefused(std::string_view path, wire::OutputRefusal reason, int error_number) override {
    CAISSON_CHECK(!done_ && !left_.has_value() && !path.empty() && path.size() <= wire::kMaxPathBytes);
    CAISSON_CHECK(++refusals_ <= wire::kMaxOutputRefusals && error_number >= 0 && error_number <= 4095);
    CAISSON_CHECK(reason >= wire::OutputRefusal::kNotFound && reason <= wire::OutputRefusal::kReadFailed);
    heard_ +=
        "R" + std::string(path) + std::to_string(static_cast<int>(reason)) + std::to_string(error_number);
  }
  void OnDone(uint64_t unlisted) override {
    CAISSON_CHECK(!done_ && !left_.has_value());
    done_ = true;
    heard_ += "D" + std::to_string(unlisted);
  }
  const std::string& heard() const { return heard_; }

 private:
  std::string heard_;
  std::optional<uint64_t> left_;  // of the file whose content comes
  uint64_t total_ = 0;
  uint32_t files_ = 0;
  uint32_t refusals_ = 0;
  bool done_ = false;
};

struct Outcome {
  Judge judge;
  absl::Status status;
  bool done = false;
};

Outcome Decode(std::span<const std::byte> bytes, size_t piece) {
  Outcome outcome;
  OutputDecoder decoder(outcome.judge);
  for (size_t at = 0; at < bytes.size(); at += piece) {
    const absl::Status status = decoder.Feed(bytes.subspan(at, std::min(piece, bytes.size() - at)));
    CAISSON_CHECK(outcome.status.ok() || status == outcome.status);  // Broken for good.
    outcome.status = status;
  }
  outcome.done = decoder.done();
  return outcome;
}

void FuzzOne(std::span<const std::byte> input) {
  if (input.empty()) {
    return;
  }
  const std::span<const std::byte> bytes = input.subspan(1);
  const Outcome pieces = Decode(bytes, std::max<size_t>(1, std::to_integer<size_t>(input.front())));
  const Outcome whole = Decode(bytes, std::max<size_t>(1, bytes.size()));
  CAISSON_CHECK(pieces.status == whole.status && pieces.done == whole.done);
  CAISSON_CHECK(pieces.judge.heard() == whole.judge.heard());
}

}  // namespace
}  // namespace caisson::ipc

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  caisson::ipc::FuzzOne(std::as_bytes(std::span(data, size)));
  return 0;
}
