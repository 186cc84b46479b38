#include "ipc/output_decoder.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "common/contained_path.h"
#include "common/status.h"

namespace caisson::ipc {
namespace {

using wire::OutputRecord;
using wire::OutputRefusal;

constexpr uint64_t kMaxErrno = 4095;
// More than any tmpfs we make has names.
constexpr uint64_t kMaxUnlisted = std::numeric_limits<uint32_t>::max();

absl::Status Malformed(const char* reason) {
  return absl::InvalidArgumentError(std::string("decode output files: ") + reason);
}

absl::Status Require(bool condition, const char* reason) {
  return condition ? absl::OkStatus() : Malformed(reason);
}

}  // namespace

absl::Status OutputDecoder::Feed(std::span<const std::byte> bytes) {
  while (failure_.ok() && !bytes.empty()) {
    if (done_) {
      failure_ = Malformed("something follows the last record");
    } else if (bytes_left_ == 0) {
      const size_t taken = std::min(bytes.size(), partial_.size() - partial_bytes_);
      std::memcpy(partial_.data() + partial_bytes_, bytes.data(), taken);
      partial_bytes_ += taken;
      bytes = bytes.subspan(taken);
      if (partial_bytes_ == partial_.size()) {
        partial_bytes_ = 0;
        failure_ = TakeHeader();
      }
    } else {
      const auto here = bytes.first(std::min<size_t>(bytes.size(), bytes_left_));
      bytes = bytes.subspan(here.size());
      failure_ = TakeBytes(here);
    }
  }
  return failure_;
}

absl::Status OutputDecoder::TakeHeader() {
  std::memcpy(&header_, partial_.data(), sizeof header_);
  RETURN_IF_ERROR(Require(header_.magic == wire::kOutputMagic, "magic is wrong"));
  RETURN_IF_ERROR(Require(header_.reserved == 0, "reserved is not 0"));
  RETURN_IF_ERROR(Require(header_.flags == 0 || (header_.type == OutputRecord::kFile && header_.flags == 1),
                          "flags are out of range"));
  switch (header_.type) {
    case OutputRecord::kFile:
      RETURN_IF_ERROR(CheckFile());
      ++files_;
      total_bytes_ += header_.size;
      break;
    case OutputRecord::kData:
      RETURN_IF_ERROR(CheckData());
      break;
    case OutputRecord::kFileEnd:
      RETURN_IF_ERROR(CheckFileEnd());
      in_file_ = false;
      sink_.OnFileEnd(header_.reason == OutputRefusal::kNone, static_cast<int>(header_.size));
      break;
    case OutputRecord::kRefused:
      RETURN_IF_ERROR(CheckRefused());
      ++refusals_;
      break;
    case OutputRecord::kDone:
      RETURN_IF_ERROR(CheckDone());
      done_ = true;
      sink_.OnDone(header_.size);
      break;
    default:
      return Malformed("type is unknown");
  }
  bytes_left_ = header_.bytes;
  path_.clear();
  return absl::OkStatus();
}

absl::Status OutputDecoder::TakeBytes(std::span<const std::byte> bytes) {
  bytes_left_ -= static_cast<uint32_t>(bytes.size());
  if (header_.type == OutputRecord::kData) {
    file_left_ -= bytes.size();
    sink_.OnData(bytes);
    return absl::OkStatus();
  }
  // SAFETY: bytes as characters.
  path_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return bytes_left_ == 0 ? TakePath() : absl::OkStatus();
}

absl::Status OutputDecoder::CheckFile() const {
  RETURN_IF_ERROR(Require(!in_file_, "a file within a file"));
  RETURN_IF_ERROR(
      Require(header_.bytes >= 1 && header_.bytes <= wire::kMaxPathBytes, "a path's length is out of range"));
  RETURN_IF_ERROR(Require(header_.reason == OutputRefusal::kNone, "a file has a reason"));
  RETURN_IF_ERROR(Require(files_ < wire::kMaxOutputFiles, "too many files"));
  // The first is never above the bound, so the difference cannot wrap.
  return Require(header_.size <= wire::kMaxOutputTotalBytes - total_bytes_, "the files are too large");
}

absl::Status OutputDecoder::CheckData() const {
  RETURN_IF_ERROR(Require(in_file_, "content outside a file"));
  RETURN_IF_ERROR(Require(header_.bytes >= 1 && header_.bytes <= wire::kMaxOutputChunkBytes,
                          "a piece's length is out of range"));
  RETURN_IF_ERROR(
      Require(header_.reason == OutputRefusal::kNone && header_.size == 0, "a piece has a reason or a size"));
  return Require(header_.bytes <= file_left_, "a file has more content than its size");
}

absl::Status OutputDecoder::CheckFileEnd() const {
  RETURN_IF_ERROR(Require(in_file_, "the end of no file"));
  RETURN_IF_ERROR(Require(header_.bytes == 0, "a file's end has bytes"));
  if (header_.reason == OutputRefusal::kReadFailed) {
    RETURN_IF_ERROR(Require(header_.size <= kMaxErrno, "an errno is out of range"));
    return Require(file_left_ != 0, "a complete file was not read");
  }
  RETURN_IF_ERROR(Require(header_.reason == OutputRefusal::kNone && header_.size == 0,
                          "a file's end has another reason or a size"));
  return Require(file_left_ == 0, "a file has less content than its size");
}

absl::Status OutputDecoder::CheckRefused() const {
  RETURN_IF_ERROR(Require(!in_file_, "a refusal within a file"));
  RETURN_IF_ERROR(
      Require(header_.bytes >= 1 && header_.bytes <= wire::kMaxPathBytes, "a path's length is out of range"));
  // kInvalidName is the dispatcher's own.
  RETURN_IF_ERROR(
      Require(header_.reason >= OutputRefusal::kNotFound && header_.reason <= OutputRefusal::kReadFailed,
              "a refusal's reason is out of range"));
  RETURN_IF_ERROR(Require(header_.size <= kMaxErrno, "an errno is out of range"));
  return Require(refusals_ < wire::kMaxOutputRefusals, "too many refusals");
}

absl::Status OutputDecoder::CheckDone() const {
  RETURN_IF_ERROR(Require(!in_file_, "the last record within a file"));
  RETURN_IF_ERROR(
      Require(header_.bytes == 0 && header_.reason == OutputRefusal::kNone, "the last record has more"));
  return Require(header_.size == 0 || (refusals_ == wire::kMaxOutputRefusals && header_.size <= kMaxUnlisted),
                 "the number of unlisted refusals is out of range");
}

absl::Status OutputDecoder::TakePath() {
  if (header_.type == OutputRecord::kRefused) {
    RETURN_IF_ERROR(Require(path_.find('\0') == std::string::npos, "a path has a NUL byte"));
    sink_.OnRefused(path_, header_.reason, static_cast<int>(header_.size));
    return absl::OkStatus();
  }
  RETURN_IF_ERROR(Require(IsContainedPath(path_), "a path leads elsewhere"));
  in_file_ = true;
  file_left_ = header_.size;
  sink_.OnFile({path_, header_.size, header_.flags == 1});
  return absl::OkStatus();
}

}  // namespace caisson::ipc
