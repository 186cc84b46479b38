#include "ipc/bundle_path.h"

#include <algorithm>
#include <string>

#include "common/status.h"
#include "common/utf8.h"
#include "ipc/run_streams.h"

namespace caisson::ipc {
namespace {

absl::Status CheckComponent(std::string_view component) {
  if (component.empty()) {
    return absl::InvalidArgumentError("has an empty component");
  }
  if (component == "." || component == "..") {
    return absl::InvalidArgumentError("has a '" + std::string(component) + "' component");
  }
  if (component.size() > kMaxPathComponentBytes) {
    return absl::InvalidArgumentError("has a component longer than " +
                                      std::to_string(kMaxPathComponentBytes) + " bytes");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckBundlePath(std::string_view path) {
  if (path.empty()) {
    return absl::InvalidArgumentError("is empty");
  }
  if (path.size() > wire::kMaxPathBytes) {
    return absl::InvalidArgumentError("is longer than " + std::to_string(wire::kMaxPathBytes) + " bytes");
  }
  if (path.front() == '/') {
    return absl::InvalidArgumentError("is absolute");
  }
  if (path.find('\0') != std::string_view::npos) {
    return absl::InvalidArgumentError("contains a NUL byte");
  }
  if (!IsValidUtf8(path)) {
    return absl::InvalidArgumentError("is not valid UTF-8");
  }
  size_t components = 0;
  for (size_t begin = 0; begin <= path.size();) {
    const size_t end = std::min(path.find('/', begin), path.size());
    RETURN_IF_ERROR(CheckComponent(path.substr(begin, end - begin)));
    begin = end + 1;
    if (++components > wire::kMaxPathComponents) {
      return absl::InvalidArgumentError("has more than " + std::to_string(wire::kMaxPathComponents) +
                                        " components");
    }
  }
  return absl::OkStatus();
}

}  // namespace caisson::ipc
