// Paths that lead nowhere but below the directory they are appended to. Pure; untrusted input.
#ifndef CAISSON_COMMON_CONTAINED_PATH_H_
#define CAISSON_COMMON_CONTAINED_PATH_H_

#include <string_view>

namespace caisson {

// Whether `path` is relative, without empty, "." and ".." components and NUL. Links on the way are another
// matter.
bool IsContainedPath(std::string_view path);

}  // namespace caisson

#endif  // CAISSON_COMMON_CONTAINED_PATH_H_
