#include "cli/returned_files.h"

#include <algorithm>
#include <set>
#include <utility>

#include "cli/text.h"
#include "common/contained_path.h"
#include "common/utf8.h"

namespace caisson::cli {
namespace {

constexpr size_t kMaxPathBytes = 1024;

absl::Status Wrong(const std::string& what) { return absl::DataLossError(what); }

std::string Bytes(uint64_t count) { return std::to_string(count) + (count == 1 ? " byte" : " bytes"); }

// The server may have dropped it halfway, if it says so.
bool IsExplained(const v1::RunResult& result, const std::string& path) {
  // The list of refusals has an end; what is beyond it is only counted.
  if (result.outputs_incomplete() || result.refused_outputs_unlisted() > 0) {
    return true;
  }
  const std::string shown = EscapeUnprintable(path);
  return std::any_of(result.refused_outputs().begin(), result.refused_outputs().end(),
                     [&shown](const v1::RefusedOutput& refused) { return refused.path() == shown; });
}

}  // namespace

bool IsSafeOutputPath(std::string_view path) {
  return path.size() <= kMaxPathBytes && IsPrintableUtf8(path) && IsContainedPath(path);
}

bool ReturnedFiles::WasAskedFor(std::string_view path) const {
  return std::any_of(asked_for_.begin(), asked_for_.end(), [path](const std::string& asked) {
    return asked == "." || path == asked ||
           (path.starts_with(asked) && path.substr(asked.size()).starts_with("/"));
  });
}

absl::Status ReturnedFiles::Begin(const v1::OutputFile& piece) {
  const std::string shown = Printable(piece.path());
  if (!IsSafeOutputPath(piece.path())) {
    return Wrong("a file whose path leads elsewhere: '" + shown + "'");
  }
  if (!WasAskedFor(piece.path())) {
    return Wrong("a file nobody asked for: '" + shown + "'");
  }
  if (files_.size() == kMaxReturnedFiles) {
    return Wrong("more than " + std::to_string(kMaxReturnedFiles) + " files");
  }
  if (piece.size_bytes() > kMaxReturnedBytes - total_bytes_) {
    return Wrong("more than " + BytesText(kMaxReturnedBytes) + " of files");
  }
  if (!files_.try_emplace(piece.path(), Progress{0, piece.size_bytes(), piece.executable(), false}).second) {
    return Wrong("the file '" + shown + "' a second time");
  }
  total_bytes_ += piece.size_bytes();
  current_ = piece.path();
  return absl::OkStatus();
}

absl::Status ReturnedFiles::Accept(const v1::OutputFile& piece) {
  if (piece.path() != current_ || piece.path().empty()) {
    if (const absl::Status begun = Begin(piece); !begun.ok()) {
      return begun;
    }
  }
  Progress& file = files_.at(current_);
  const std::string of_file = " of the file '" + Printable(current_) + "'";
  if (piece.offset() != file.received_bytes) {
    return Wrong("byte " + std::to_string(piece.offset()) + of_file + " where byte " +
                 std::to_string(file.received_bytes) + " was due");
  }
  if (piece.size_bytes() != file.size_bytes || piece.executable() != file.executable) {
    return Wrong("two sizes or modes" + of_file);
  }
  if (piece.data().size() > file.size_bytes - file.received_bytes) {
    return Wrong("more than the " + Bytes(file.size_bytes) + of_file);
  }
  // Pieces without end that bring nothing, or a second one of an empty file.
  if (piece.data().empty() && (file.size_bytes != 0 || file.empty_piece_came)) {
    return Wrong("an empty piece" + of_file);
  }
  file.empty_piece_came = piece.data().empty();
  file.received_bytes += piece.data().size();
  return absl::OkStatus();
}

absl::Status ReturnedFiles::CheckResult(const v1::RunResult& result) const {
  std::set<std::string_view> listed_before;
  for (const v1::CollectedFile& listed : result.outputs()) {
    const auto found = files_.find(listed.path());
    if (found == files_.end()) {
      return Wrong("a list of returned files with '" + Printable(listed.path()) + "', which never came");
    }
    if (!listed_before.insert(listed.path()).second) {
      return Wrong("a list of returned files with '" + Printable(listed.path()) + "' twice");
    }
    const Progress& file = found->second;
    if (file.received_bytes != listed.size_bytes() || file.size_bytes != listed.size_bytes()) {
      return Wrong(Bytes(file.received_bytes) + " of the file '" + Printable(listed.path()) +
                   "', which by its own word has " + Bytes(listed.size_bytes()));
    }
  }
  for (const Part& part : Incomplete()) {
    if (!IsExplained(result, part.path)) {
      return Wrong("a part of the file '" + Printable(part.path) + "' and no word about the rest");
    }
  }
  return absl::OkStatus();
}

std::vector<ReturnedFiles::Part> ReturnedFiles::Incomplete() const {
  std::vector<Part> parts;
  for (const auto& [path, file] : files_) {
    if (file.received_bytes < file.size_bytes) {
      parts.push_back({path, file.received_bytes, file.size_bytes});
    }
  }
  return parts;
}

}  // namespace caisson::cli
