#include "gateway/page_files.h"

#include <array>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "common/status.h"

namespace caisson::gateway {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxFiles = 256;
constexpr size_t kMaxBytes = size_t{32} << 20U;
constexpr char kIndex[] = "/index.html";
// The build names what stands there after its content.
constexpr std::string_view kHashed = "/assets/";

constexpr std::array<std::pair<std::string_view, const char*>, 5> kTypes = {{
    {".css", "text/css; charset=utf-8"},
    {".html", "text/html; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".svg", "image/svg+xml"},
    {".woff2", "font/woff2"},
}};

const char* TypeOf(std::string_view path) {
  for (const auto& [ending, type] : kTypes) {
    if (path.size() > ending.size() && path.substr(path.size() - ending.size()) == ending) {
      return type;
    }
  }
  return nullptr;
}

bool IsPlain(std::string_view path) {
  return path.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-/") ==
         std::string_view::npos;
}

absl::StatusOr<std::string> ReadWhole(const fs::path& path, size_t most) {
  std::error_code error;
  const uintmax_t size = fs::file_size(path, error);
  if (!error && size > most) {
    return absl::FailedPreconditionError("more than " + std::to_string(kMaxBytes >> 20U) + " MiB");
  }
  std::string body(error ? 0 : size, '\0');
  std::ifstream in(path, std::ios::binary);
  if (error || !in.read(body.data(), static_cast<std::streamsize>(body.size()))) {
    return absl::FailedPreconditionError("cannot read " + path.string());
  }
  return body;
}

}  // namespace

absl::StatusOr<PageFiles> PageFiles::Load(const std::string& directory) {
  const auto refuse = [&](const std::string& why) {
    return absl::InvalidArgumentError("playground '" + directory + "': " + why);
  };
  PageFiles page;
  size_t bytes = 0;
  std::error_code error;
  fs::recursive_directory_iterator at(directory, error);
  for (; !error && at != fs::recursive_directory_iterator(); at.increment(error)) {
    const fs::path& path = at->path();
    const fs::file_type kind = at->symlink_status(error).type();
    if (error || kind == fs::file_type::directory) {
      continue;
    }
    const std::string name = "/" + path.lexically_relative(directory).string();
    const char* type = TypeOf(name);
    if (kind != fs::file_type::regular || type == nullptr || !IsPlain(name)) {
      return refuse(name.substr(1) + " is none of the files that the playground is made of");
    }
    if (page.files_.size() == kMaxFiles) {
      return refuse("more than " + std::to_string(kMaxFiles) + " files");
    }
    absl::StatusOr<std::string> body = ReadWhole(path, kMaxBytes - bytes);
    if (!body.ok()) {
      return refuse(Message(body.status()));
    }
    bytes += body->size();
    const bool hashed = name.rfind(kHashed, 0) == 0;
    page.files_.emplace(
        name, File{type, hashed ? "public, max-age=31536000, immutable" : "no-cache", *std::move(body)});
  }
  if (error) {
    return refuse(error.message());
  }
  if (!page.files_.contains(kIndex)) {
    return refuse("there is no index.html; `make playground-page` builds the page");
  }
  return page;
}

const PageFiles::File* PageFiles::Find(std::string_view target) const {
  const std::string_view path = target.substr(0, target.find('?'));
  const auto found = files_.find(path == "/" ? std::string_view(kIndex) : path);
  return found == files_.end() ? nullptr : &found->second;
}

}  // namespace caisson::gateway
