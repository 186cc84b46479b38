#include "dispatcher/run_bundle.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>

#include "common/status.h"
#include "common/utf8.h"

namespace caisson::dispatcher {
namespace {

using wire::OutputRefusal;

// Copied in one turn of the loop: a millisecond or two.
constexpr uint64_t kCopyBytes = 4ULL * 1024 * 1024;
constexpr size_t kPieceBytes = 256UL * 1024;

// A directory brings what is below it, without these.
bool IsLeftOut(OutputRefusal reason) {
  return reason == OutputRefusal::kLink || reason == OutputRefusal::kNotAFile ||
         reason == OutputRefusal::kInvalidName;
}

std::string ProblemText(OutputRefusal reason) {
  switch (reason) {
    case OutputRefusal::kNotFound:
      return "the compiler did not make what it is expected to make";
    case OutputRefusal::kTooLarge:
      return "what the compiler made has more than 256 MiB";
    case OutputRefusal::kTooMany:
      return "the compiler made more than 1,024 files";
    case OutputRefusal::kTooDeep:
    case OutputRefusal::kNameTooLong:
      return "the compiler made a file whose path is too deep or too long";
    case OutputRefusal::kSparse:
      return "the compiler made a file with holes of more than 16 MiB";
    default:
      return "a file that the compiler made cannot be handed on";
  }
}

}  // namespace

void RunBundle::Fail(std::string problem) {
  if (problem_.empty()) {
    problem_ = std::move(problem);
  }
}

void RunBundle::Note(absl::Status status) {
  if (absl::IsResourceExhausted(status)) {
    Fail("the request's files and what the compiler made are together larger than 272 MiB");
  } else if (!status.ok()) {
    Fail("what the compiler made cannot be stored");
  }
}

void RunBundle::OnFile(const ipc::OutputFileInfo& file) {
  const std::string path(file.path);
  executable_ = file.executable;
  skipping_ = !problem_.empty();
  if (skipping_) {
    return;
  }
  if (!IsPrintableUtf8(path)) {
    skipping_ = true;
    OnRefused(path, OutputRefusal::kInvalidName, 0);
    return;
  }
  if (file.size_bytes > kMaxArtefactBytes - artefact_bytes_) {
    Fail("what the compiler made has more than 128 MiB");
    skipping_ = true;
    return;
  }
  artefact_bytes_ += file.size_bytes;
  if (!artefacts_.insert(path).second) {
    // Two output paths that lead to one file: once is enough.
    skipping_ = true;
    return;
  }
  Note(writer_.BeginFile(path));
}

void RunBundle::OnData(std::span<const std::byte> bytes) {
  if (!skipping_) {
    // SAFETY: bytes as characters.
    Note(writer_.AppendToFile({reinterpret_cast<const char*>(bytes.data()), bytes.size()}));
  }
}

void RunBundle::OnFileEnd(bool complete, int /*error_number*/) {
  if (!complete) {
    Fail("what the compiler made could not be read");
  } else if (!skipping_) {
    Note(writer_.EndFile(executable_ ? ipc::FileMode::kExecutable : ipc::FileMode::kRegular));
  }
}

void RunBundle::OnRefused(std::string_view path, OutputRefusal reason, int error_number) {
  AddRefusal(path, reason, error_number, refusals_);
  const bool named = std::find(asked_for_.begin(), asked_for_.end(), path) != asked_for_.end();
  if (named || !IsLeftOut(reason)) {
    Fail(ProblemText(reason));
  }
}

void RunBundle::OnDone(uint64_t unlisted) {
  refusals_.unlisted_refusals += unlisted;
  refusals_.complete = true;
}

std::string RunBundle::Problem() const {
  if (!problem_.empty()) {
    return problem_;
  }
  if (!refusals_.complete) {
    return "what the compiler made could not be collected in time";
  }
  // Among those not listed may be one that matters.
  return refusals_.unlisted_refusals == 0 ? "" : "too much of what the compiler made cannot be handed on";
}

// An artefact of the same path, one where the input needs a directory, or a directory where the input is a
// file.
bool RunBundle::IsReplaced(const std::string& input) const {
  const std::string below = input + "/";
  const auto first_below = artefacts_.lower_bound(below);
  if (artefacts_.contains(input) ||
      (first_below != artefacts_.end() && first_below->compare(0, below.size(), below) == 0)) {
    return true;
  }
  for (size_t slash = input.find('/'); slash != std::string::npos; slash = input.find('/', slash + 1)) {
    if (artefacts_.contains(std::string_view(input).substr(0, slash))) {
      return true;
    }
  }
  return false;
}

absl::StatusOr<bool> RunBundle::AddSomeInputs() {
  std::string piece;
  uint64_t copied = 0;
  for (; next_input_ < inputs_.size(); ++next_input_) {
    const ipc::BundleFile& input = inputs_[next_input_];
    if (!in_input_) {
      if (IsReplaced(input.path)) {
        continue;
      }
      RETURN_IF_ERROR(writer_.BeginFile(input.path));
      in_input_ = true;
      next_offset_ = 0;
    }
    while (next_offset_ < input.bytes) {
      if (copied >= kCopyBytes) {
        return true;
      }
      piece.resize(std::min<uint64_t>(kPieceBytes, input.bytes - next_offset_));
      const ssize_t got = pread(input_bundle_.get(), piece.data(), piece.size(),
                                static_cast<off_t>(input.offset + next_offset_));
      if (got <= 0) {
        return got == 0 ? absl::DataLossError("read bundle: it is shorter than it was")
                        : ErrnoStatus(errno, "read bundle");
      }
      RETURN_IF_ERROR(writer_.AppendToFile({piece.data(), static_cast<size_t>(got)}));
      next_offset_ += static_cast<uint64_t>(got);
      copied += static_cast<uint64_t>(got);
    }
    RETURN_IF_ERROR(writer_.EndFile(input.mode));
    in_input_ = false;
  }
  input_bundle_.reset();
  return false;
}

}  // namespace caisson::dispatcher
