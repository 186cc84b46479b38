#include "cli/run_request.h"

#include <google/protobuf/map.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <string_view>
#include <utility>

#include "cli/client.h"
#include "cli/text.h"
#include "common/files.h"
#include "common/status.h"
#include "policy/nearest.h"

namespace caisson::cli {
namespace {

constexpr std::string_view kElfMagic(
    "\x7f"
    "ELF",
    4);

absl::Status TooLarge(const std::string& what, size_t most = kMaxRequestBytes) {
  return absl::ResourceExhaustedError(what + " is larger than the " + BytesText(most) +
                                      " a request may have");
}

bool StartsWith(const std::string& text, std::string_view prefix) {
  return text.compare(0, prefix.size(), prefix) == 0;
}

absl::StatusOr<std::pair<std::string, std::string>> SplitPair(const std::string& option,
                                                              const std::string& text) {
  const size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) {
    return absl::InvalidArgumentError(option + " " + text + ": expected NAME=VALUE");
  }
  return std::make_pair(text.substr(0, equals), text.substr(equals + 1));
}

absl::Status AddPairs(const std::string& option, const std::vector<std::string>& texts,
                      google::protobuf::Map<std::string, std::string>& map) {
  for (const std::string& text : texts) {
    ASSIGN_OR_RETURN(const auto pair, SplitPair(option, text));
    map[pair.first] = pair.second;
  }
  return absl::OkStatus();
}

absl::Status AddFile(const std::string& path, const std::string& box_path, v1::ExecuteRequest& request) {
  if (std::any_of(request.files().begin(), request.files().end(),
                  [&box_path](const v1::InputFile& file) { return file.path() == box_path; })) {
    return absl::InvalidArgumentError("--file " + path + ": another file lies at /box/" + box_path +
                                      " already");
  }
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) {
    return absl::InvalidArgumentError(Message(ErrnoStatus(errno, "read " + path)));
  }
  if (S_ISDIR(info.st_mode)) {
    return absl::InvalidArgumentError("read " + path + ": Is a directory");
  }
  absl::StatusOr<std::string> content = ReadFile(path, kMaxUploadBytes);
  if (absl::IsOutOfRange(content.status())) {
    return TooLarge(path, kMaxUploadBytes);
  }
  if (!content.ok()) {
    return absl::InvalidArgumentError(Message(content.status()));
  }
  v1::InputFile& file = *request.add_files();
  file.set_path(box_path);
  // An ELF that came without its mode (a download, an archive) is a program all the same.
  file.set_executable((info.st_mode & 0111U) != 0 || StartsWith(*content, kElfMagic));
  file.set_content(*std::move(content));
  return absl::OkStatus();
}

absl::Status AddDirectory(const RunOptions& options, v1::ExecuteRequest& request) {
  ASSIGN_OR_RETURN(std::vector<SourceFile> sources, ReadSources(options.source_directory));
  bool has_main_file = false;
  for (SourceFile& source : sources) {
    v1::InputFile& file = *request.add_files();
    has_main_file = has_main_file || source.path == options.main_file;
    file.set_path(std::move(source.path));
    file.set_content(std::move(source.content));
    file.set_executable(source.executable);
  }
  request.set_main_file(options.main_file);
  if (!options.script.empty()) {
    if (has_main_file) {
      return absl::InvalidArgumentError("the directory has a file " + options.main_file +
                                        ", where the commands of -c would lie");
    }
    v1::InputFile& file = *request.add_files();
    file.set_path(options.main_file);
    file.set_content(options.script);
  } else if (!has_main_file) {
    return absl::InvalidArgumentError("there is no " + options.main_file + " in " + options.source_directory +
                                      ", or its " + kIgnoreFile + " leaves it out");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> ReadAll(int fd, const std::string& mend) {
  std::string content;
  std::array<char, 65536> buffer{};
  for (;;) {
    const ssize_t count = read(fd, buffer.data(), buffer.size());
    if (count == 0) {
      return content;
    }
    if (count < 0) {
      if (errno == EINTR) {
        continue;
      }
      return ErrnoStatus(errno, "read standard input");
    }
    content.append(buffer.data(), static_cast<size_t>(count));
    if (content.size() > kMaxRequestBytes) {
      return absl::ResourceExhaustedError(Message(TooLarge("standard input")) + mend);
    }
  }
}

std::vector<std::string> LimitNames() {
  std::vector<std::string> names;
  const auto* descriptor = v1::Limits::descriptor();
  for (int i = 0; i < descriptor->field_count(); ++i) {
    names.push_back(descriptor->field(i)->name());
  }
  return names;
}

std::string ProfileChoices(const std::vector<v1::Profile>& profiles) {
  std::vector<std::string> names;
  for (const v1::Profile& profile : profiles) {
    if (profile.variant_of().empty()) {
      names.push_back(profile.name() +
                      (profile.file_extension().empty() ? "" : " (" + profile.file_extension() + ")"));
    }
  }
  return names.empty() ? "none" : Printable(JoinNames(names));
}

// The factor of a size suffix; 0 for an unknown one.
uint64_t SuffixFactor(std::string_view suffix, bool is_bytes) {
  if (suffix.empty()) {
    return 1;
  }
  if (!is_bytes || suffix.size() != 1) {
    return 0;
  }
  switch (suffix.front()) {
    case 'K':
      return 1ULL << 10U;
    case 'M':
      return 1ULL << 20U;
    case 'G':
      return 1ULL << 30U;
    default:
      return 0;
  }
}

}  // namespace

absl::Status ParseLimit(const std::string& text, v1::Limits& limits) {
  ASSIGN_OR_RETURN(const auto pair, SplitPair("--limit", text));
  const auto& [name, value_text] = pair;
  const auto* field = v1::Limits::descriptor()->FindFieldByName(name);
  if (field == nullptr) {
    const std::string nearest = policy::DidYouMean(LimitNames(), name);
    return absl::InvalidArgumentError(
        "--limit " + text + ": no limit is named '" + name + "'" +
        (nearest.empty() ? "; choose from " + JoinNames(LimitNames()) : nearest));
  }
  uint64_t value = 0;
  const char* end = value_text.data() + value_text.size();
  const auto [rest, error] = std::from_chars(value_text.data(), end, value);
  const bool is_bytes = name.find("_bytes") != std::string::npos;
  const uint64_t factor = SuffixFactor(std::string_view(rest, static_cast<size_t>(end - rest)), is_bytes);
  uint64_t product = 0;
  if (error != std::errc{} || factor == 0 || __builtin_mul_overflow(value, factor, &product)) {
    return absl::InvalidArgumentError("--limit " + text + ": expected a whole number" +
                                      (is_bytes ? ", which K, M or G may follow" : ""));
  }
  v1::Limits::GetReflection()->SetUInt64(&limits, field, product);
  return absl::OkStatus();
}

std::string BoxPath(const std::string& path) {
  const std::filesystem::path normal = std::filesystem::path(path).lexically_normal();
  const bool leaves = !normal.empty() && *normal.begin() == "..";
  return normal.is_absolute() || leaves ? normal.filename().string() : normal.string();
}

absl::StatusOr<std::vector<SourceFile>> ReadSources(const std::string& directory) {
  return ReadSourceTree(directory, {.files = kMaxRequestFiles, .bytes = kMaxUploadBytes});
}

absl::StatusOr<v1::ExecuteRequest> BuildRequest(const RunOptions& options) {
  v1::ExecuteRequest request;
  for (const std::string& limit : options.limits) {
    RETURN_IF_ERROR(ParseLimit(limit, *request.mutable_limits()));
  }
  RETURN_IF_ERROR(AddPairs("--env", options.env, *request.mutable_env()));
  RETURN_IF_ERROR(AddPairs("--label", options.labels, *request.mutable_labels()));
  request.set_priority(options.priority);
  for (const std::string& path : options.output_paths) {
    if (path.empty() || path.front() == '/') {
      return absl::InvalidArgumentError("--output '" + path +
                                        "': give a path relative to /box, the program's working directory");
    }
    request.add_output_paths(path);
  }
  for (const std::string& package : options.packages) {
    request.add_packages(package);
  }
  for (const std::string& arg : options.args) {
    request.add_args(arg);
  }
  if (options.output_overflow == "kill") {
    request.set_output_overflow(v1::OUTPUT_OVERFLOW_KILL);
  } else if (options.output_overflow == "truncate") {
    request.set_output_overflow(v1::OUTPUT_OVERFLOW_TRUNCATE);
  }
  if (!options.source_directory.empty()) {
    RETURN_IF_ERROR(AddDirectory(options, request));
  } else if (options.main_file != "-") {
    const std::string name = std::filesystem::path(options.main_file).filename().string();
    RETURN_IF_ERROR(AddFile(options.main_file, name, request));
    request.set_main_file(name);
  }
  for (const std::string& path : options.files) {
    RETURN_IF_ERROR(AddFile(path, BoxPath(path), request));
  }
  return request;
}

absl::Status AddStandardInput(const RunOptions& options, const std::string& default_main_file, int fd,
                              v1::ExecuteRequest& request) {
  const bool is_program = options.main_file == "-";
  if (!is_program) {
    if (options.no_stdin || isatty(fd) != 0) {
      return absl::OkStatus();
    }
    ASSIGN_OR_RETURN(std::string content, ReadAll(fd, "; --interactive sends it as it is read"));
    request.set_stdin(std::move(content));
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(std::string program, ReadAll(fd, ""));
  v1::InputFile& file = *request.add_files();
  file.set_path(default_main_file.empty() ? "main" : default_main_file);
  file.set_executable(StartsWith(program, kElfMagic));
  file.set_content(std::move(program));
  request.set_main_file(file.path());
  return absl::OkStatus();
}

absl::Status CheckRequestSize(const v1::ExecuteRequest& request) {
  size_t file_bytes = 0;
  for (const v1::InputFile& file : request.files()) {
    file_bytes += file.content().size();
  }
  if (file_bytes > kMaxUploadBytes) {
    return TooLarge("the sum of all files", kMaxUploadBytes);
  }
  if (request.ByteSizeLong() - file_bytes > kMaxRequestBytes) {
    return TooLarge("the request (arguments, environment and standard input together)");
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::Profile> GuessProfile(const std::string& file, const std::vector<v1::Profile>& profiles) {
  const std::string extension = std::filesystem::path(file).extension().string();
  std::vector<const v1::Profile*> matches;
  for (const v1::Profile& profile : profiles) {
    if (!extension.empty() && profile.file_extension() == extension && profile.variant_of().empty()) {
      matches.push_back(&profile);
    }
  }
  if (matches.size() != 1) {
    return absl::InvalidArgumentError(
        "cannot tell the profile of '" + Printable(file) +
        "' by its extension; give --profile, one of: " + ProfileChoices(profiles));
  }
  return *matches.front();
}

}  // namespace caisson::cli
