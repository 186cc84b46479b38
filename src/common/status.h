// Status helpers that Debian's abseil lacks. Used by every hosted program of Caisson.
#ifndef CAISSON_COMMON_STATUS_H_
#define CAISSON_COMMON_STATUS_H_

#include <cerrno>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace caisson {

// A Status made of errno in the form "verb object: reason", for example "open /dev/null: No such file or
// directory". Never OK, also where errno was overwritten with 0 meanwhile.
absl::Status ErrnoStatus(int error_number, std::string_view what);

// absl::string_view is its own type in Debian's build and does not convert.
inline std::string_view ToStd(absl::string_view text) { return {text.data(), text.size()}; }

// The message of a status, as std::string.
inline std::string Message(const absl::Status& status) { return std::string(ToStd(status.message())); }

// The same code, with `context` and ": " before the message.
absl::Status Prefix(const absl::Status& status, std::string_view context);

}  // namespace caisson

#define CAISSON_CONCAT_INNER(a, b) a##b
#define CAISSON_CONCAT(a, b) CAISSON_CONCAT_INNER(a, b)

#define RETURN_IF_ERROR(expression)                           \
  do {                                                        \
    if (absl::Status status_ = (expression); !status_.ok()) { \
      return status_;                                         \
    }                                                         \
  } while (false)

#define ASSIGN_OR_RETURN_IMPL(result, declaration, expression) \
  auto result = (expression);                                  \
  if (!result.ok()) {                                          \
    return std::move(result).status();                         \
  }                                                            \
  declaration = std::move(result).value()

#define ASSIGN_OR_RETURN(declaration, expression) \
  ASSIGN_OR_RETURN_IMPL(CAISSON_CONCAT(status_or_, __LINE__), declaration, expression)

// An invariant of ours: false is a bug, and going on would be worse than stopping. In release builds too.
#define CAISSON_CHECK(condition)                              \
  do {                                                        \
    if (!(condition)) {                                       \
      ::caisson::CheckFailed(#condition, __FILE__, __LINE__); \
    }                                                         \
  } while (false)

namespace caisson {
[[noreturn]] void CheckFailed(const char* condition, const char* file, int line);
}  // namespace caisson

#endif  // CAISSON_COMMON_STATUS_H_
