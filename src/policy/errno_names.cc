#include "policy/errno_names.h"

#include <cstring>

namespace caisson::policy {
namespace {

constexpr int kLargestErrno = 133;  // EHWPOISON

}  // namespace

std::optional<int> FindErrno(std::string_view name) {
  for (int number = 1; number <= kLargestErrno; ++number) {
    const char* known = strerrorname_np(number);
    if (known != nullptr && name == known) {
      return number;
    }
  }
  return std::nullopt;
}

std::string ErrnoName(int error_number) {
  const char* known = strerrorname_np(error_number);
  return known == nullptr ? "errno " + std::to_string(error_number) : std::string(known);
}

}  // namespace caisson::policy
