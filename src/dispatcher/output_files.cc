#include "dispatcher/output_files.h"

#include <algorithm>
#include <system_error>

#include "common/utf8.h"
#include "dispatcher/convert.h"

namespace caisson::dispatcher {
namespace {

using wire::OutputRefusal;

// The enumerators have the same numbers on both sides.
static_assert(static_cast<int>(v1::RefusedOutput::NOT_FOUND) == static_cast<int>(OutputRefusal::kNotFound) &&
              static_cast<int>(v1::RefusedOutput::TOO_LARGE) == static_cast<int>(OutputRefusal::kTooLarge) &&
              static_cast<int>(v1::RefusedOutput::INVALID_NAME) ==
                  static_cast<int>(OutputRefusal::kInvalidName));

std::string Sentence(OutputRefusal reason, int error_number) {
  switch (reason) {
    case OutputRefusal::kNotFound:
      return "There is no such file or directory.";
    case OutputRefusal::kLink:
      return "It is a symbolic link, or there is one on the way to it; links are not followed.";
    case OutputRefusal::kHardLink:
      return "The file has more than one name.";
    case OutputRefusal::kNotAFile:
      return "It is neither a regular file nor a directory.";
    case OutputRefusal::kSparse:
      return "The file has holes of more than 16 MiB.";
    case OutputRefusal::kTooLarge:
      return "All files together would have more than 256 MiB.";
    case OutputRefusal::kTooMany:
      return "There are more than 1,024 files.";
    case OutputRefusal::kTooDeep:
      return "It lies more than 32 directories below its output path.";
    case OutputRefusal::kNameTooLong:
      return "Its path has more than 1,024 bytes.";
    case OutputRefusal::kReadFailed:
      return "It could not be read" +
             (error_number == 0 ? std::string() : ": " + std::generic_category().message(error_number)) + ".";
    case OutputRefusal::kInvalidName:
      return "Its name is not UTF-8, or has control characters.";
    case OutputRefusal::kNone:
      break;
  }
  return "";
}

}  // namespace

void AddRefusal(std::string_view path, OutputRefusal reason, int error_number, CollectedOutputs& outputs) {
  if (outputs.refusals.size() >= wire::kMaxOutputRefusals) {
    ++outputs.unlisted_refusals;
    return;
  }
  v1::RefusedOutput refusal;
  refusal.set_path(EscapeUnprintable(path));
  refusal.set_reason(static_cast<v1::RefusedOutput::Reason>(reason));
  refusal.set_message(Sentence(reason, error_number));
  outputs.refusals.push_back(std::move(refusal));
}

void OutputFiles::OnFile(const ipc::OutputFileInfo& file) {
  path_ = file.path;
  size_bytes_ = file.size_bytes;
  executable_ = file.executable;
  nameable_ = IsPrintableUtf8(file.path);
  piece_offset_ = 0;
  if (!nameable_) {
    AddRefusal(file.path, OutputRefusal::kInvalidName, 0, outputs_);
  }
}

void OutputFiles::OnData(std::span<const std::byte> bytes) {
  if (!nameable_) {
    return;
  }
  digest_.Add(bytes);
  while (!bytes.empty()) {
    const auto taken = bytes.first(std::min(bytes.size(), wire::kMaxOutputChunkBytes - piece_.size()));
    // SAFETY: bytes as characters.
    piece_.append(reinterpret_cast<const char*>(taken.data()), taken.size());
    bytes = bytes.subspan(taken.size());
    if (piece_.size() == wire::kMaxOutputChunkBytes) {
      EmitPiece();
    }
  }
}

void OutputFiles::OnFileEnd(bool complete, int error_number) {
  if (!nameable_) {
    return;
  }
  std::string digest = digest_.Finish();
  if (!complete) {
    piece_.clear();
    AddRefusal(path_, OutputRefusal::kReadFailed, error_number, outputs_);
    return;
  }
  if (!piece_.empty() || size_bytes_ == 0) {
    EmitPiece();
  }
  v1::CollectedFile file;
  file.set_path(path_);
  file.set_size_bytes(size_bytes_);
  file.set_digest(std::move(digest));
  file.set_executable(executable_);
  outputs_.files.push_back(std::move(file));
}

void OutputFiles::EmitPiece() {
  const uint64_t offset = piece_offset_;
  piece_offset_ += piece_.size();
  emit_(OutputFileEvent(path_, offset, std::exchange(piece_, {}), size_bytes_, executable_));
}

void OutputFiles::OnRefused(std::string_view path, OutputRefusal reason, int error_number) {
  AddRefusal(path, reason, error_number, outputs_);
}

void OutputFiles::OnDone(uint64_t unlisted) {
  outputs_.unlisted_refusals += unlisted;
  outputs_.complete = true;
}

}  // namespace caisson::dispatcher
