#include "dispatcher/file_paths.h"

#include <map>
#include <string>

#include "absl/status/status.h"
#include "common/status.h"
#include "ipc/bundle_path.h"

namespace caisson::dispatcher {
namespace {

std::string PathField(size_t index) { return "files[" + std::to_string(index) + "].path"; }

}  // namespace

std::vector<FieldViolation> CheckFilePaths(const std::vector<std::string_view>& paths) {
  std::vector<FieldViolation> violations;
  std::map<std::string_view, size_t> first_index;
  for (size_t i = 0; i < paths.size(); ++i) {
    if (const absl::Status status = ipc::CheckBundlePath(paths[i]); !status.ok()) {
      violations.push_back({PathField(i), Message(status)});
      continue;
    }
    if (const auto [earlier, inserted] = first_index.emplace(paths[i], i); !inserted) {
      violations.push_back({PathField(i), "is the same as " + PathField(earlier->second)});
    }
  }
  for (const auto& [path, index] : first_index) {
    for (size_t slash = path.find('/'); slash != std::string_view::npos; slash = path.find('/', slash + 1)) {
      if (const auto file = first_index.find(path.substr(0, slash)); file != first_index.end()) {
        violations.push_back(
            {PathField(index), "needs a directory where " + PathField(file->second) + " is a file"});
        break;
      }
    }
  }
  return violations;
}

}  // namespace caisson::dispatcher
