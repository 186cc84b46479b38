// Sends standard input along while a run is under way, and the terminal's size when it changes.
#ifndef CAISSON_CLI_INPUT_FORWARDER_H_
#define CAISSON_CLI_INPUT_FORWARDER_H_

#include <grpcpp/support/sync_stream.h>

#include <memory>
#include <thread>

#include "absl/status/statusor.h"
#include "caisson/v1/run.pb.h"
#include "common/unique_fd.h"

namespace caisson::cli {

using InteractStream = grpc::ClientReaderWriterInterface<v1::InteractRequest, v1::RunEvent>;

// A thread of its own, which is the only writer of the stream while it runs. The stream's flow control holds
// it back when the program does not read.
class InputForwarder {
 public:
  enum class Source : uint8_t { kNothing, kPipe, kTerminal };

  // Before any other thread exists: they inherit the blocked SIGWINCH.
  static absl::StatusOr<std::unique_ptr<InputForwarder>> Create(Source source);
  ~InputForwarder() { Stop(); }
  InputForwarder(const InputForwarder&) = delete;
  InputForwarder& operator=(const InputForwarder&) = delete;

  // Call once. `stream` must live until Stop.
  void Start(InteractStream& stream);
  // The stream must be at its end, or the thread might wait in a write.
  void Stop();

 private:
  InputForwarder(Source source, UniqueFd resizes, UniqueFd stop)
      : source_(source), resizes_(std::move(resizes)), stop_(std::move(stop)) {}
  void Forward(InteractStream& stream) const;
  bool ForwardInput(InteractStream& stream, bool& open) const;
  bool ForwardSize(InteractStream& stream) const;

  Source source_;
  UniqueFd resizes_;  // signalfd for SIGWINCH
  UniqueFd stop_;     // eventfd
  std::thread thread_;
};

}  // namespace caisson::cli

#endif  // CAISSON_CLI_INPUT_FORWARDER_H_
