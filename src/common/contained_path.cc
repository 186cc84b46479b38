#include "common/contained_path.h"

#include <algorithm>
#include <cstddef>

namespace caisson {

bool IsContainedPath(std::string_view path) {
  if (path.find('\0') != std::string_view::npos) {
    return false;
  }
  for (size_t begin = 0; begin <= path.size();) {
    const size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view component = path.substr(begin, end - begin);
    if (component.empty() || component == "." || component == "..") {
      return false;
    }
    begin = end + 1;
  }
  return true;
}

}  // namespace caisson
