#include "dispatcher/files_room.h"

#include <set>
#include <string>

namespace caisson::dispatcher {
namespace {

constexpr uint64_t kPageBytes = 4096;

void CheckOne(policy::LimitId id, uint64_t needed, const char* unit, const policy::Limits& limits,
              std::vector<FieldViolation>& violations) {
  if (needed > limits.Get(id)) {
    violations.push_back({"limits." + std::string(policy::LimitName(id)),
                          "the files of the request alone need at least " + std::to_string(needed) + unit +
                              ", and " + std::to_string(limits.Get(id)) + " are allowed"});
  }
}

}  // namespace

std::vector<FieldViolation> CheckFilesRoom(const std::vector<FileSize>& files, const policy::Limits& limits) {
  uint64_t bytes = 0;
  std::set<std::string_view> directories;
  for (const FileSize& file : files) {
    bytes += (file.bytes + kPageBytes - 1) / kPageBytes * kPageBytes;
    for (size_t slash = file.path.find('/'); slash != std::string_view::npos;
         slash = file.path.find('/', slash + 1)) {
      directories.insert(file.path.substr(0, slash));
    }
  }
  std::vector<FieldViolation> violations;
  CheckOne(policy::LimitId::kDiskBytes, bytes, " bytes", limits, violations);
  CheckOne(policy::LimitId::kInodeCount, files.size() + directories.size(), " files and directories", limits,
           violations);
  return violations;
}

}  // namespace caisson::dispatcher
