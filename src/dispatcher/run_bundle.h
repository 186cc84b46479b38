// The bundle of a run step that follows a compile step: what the compiler made, as it comes out of its
// sandbox, then the request's files. Runs on the I/O thread. Names and content of the compiler's files are as
// hostile as its source.
#ifndef CAISSON_DISPATCHER_RUN_BUNDLE_H_
#define CAISSON_DISPATCHER_RUN_BUNDLE_H_

#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/unique_fd.h"
#include "dispatcher/output_files.h"
#include "ipc/bundle_writer.h"
#include "ipc/output_decoder.h"

namespace caisson::dispatcher {

class RunBundle final : public ipc::OutputSink {
 public:
  // Of all that a compile step hands on.
  static constexpr uint64_t kMaxArtefactBytes = 128ULL * 1024 * 1024;

  // `writer` holds everything but files. `inputs` are the request's files within `input_bundle`, which is
  // sealed. `asked_for`: the output paths of the compile step.
  RunBundle(ipc::BundleWriter writer, UniqueFd input_bundle, std::vector<ipc::BundleFile> inputs,
            std::vector<std::string> asked_for)
      : writer_(std::move(writer)),
        input_bundle_(std::move(input_bundle)),
        inputs_(std::move(inputs)),
        asked_for_(std::move(asked_for)) {}

  // ipc::OutputSink: the compiler's files.
  void OnFile(const ipc::OutputFileInfo& file) override;
  void OnData(std::span<const std::byte> bytes) override;
  void OnFileEnd(bool complete, int error_number) override;
  void OnRefused(std::string_view path, wire::OutputRefusal reason, int error_number) override;
  void OnDone(uint64_t unlisted) override;

  // Once the compile step has ended: why its files cannot be handed on, as the end of a sentence; empty: they
  // can.
  std::string Problem() const;
  // What was not handed on, for the result of a run that ends here.
  const CollectedOutputs& refusals() const { return refusals_; }

  // Adds some of the request's files; the compiler's take their places where both want the same. False once
  // all are in. kResourceExhausted if everything together is larger than a bundle may be.
  absl::StatusOr<bool> AddSomeInputs();
  absl::StatusOr<UniqueFd> Seal() { return writer_.Seal(); }

 private:
  bool IsReplaced(const std::string& input) const;
  void Fail(std::string problem);
  void Note(absl::Status status);

  ipc::BundleWriter writer_;
  UniqueFd input_bundle_;
  std::vector<ipc::BundleFile> inputs_;
  const std::vector<std::string> asked_for_;
  CollectedOutputs refusals_;
  std::string problem_;
  std::set<std::string, std::less<>> artefacts_;  // their paths
  uint64_t artefact_bytes_ = 0;
  bool executable_ = false;  // the file that is coming in
  bool skipping_ = false;    // it cannot be handed on
  size_t next_input_ = 0;
  uint64_t next_offset_ = 0;  // within it
  bool in_input_ = false;
};

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_RUN_BUNDLE_H_
