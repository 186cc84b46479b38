// The output paths a bundle asks for, sorted, each once. Pure; also built hosted for the sanitized unit
// tests.
//
// Input: the client's bundle, hostile. What is kept points into it.
#ifndef CAISSON_SANDBOX_INIT_COLLECT_PATHS_H_
#define CAISSON_SANDBOX_INIT_COLLECT_PATHS_H_

#include <stdint.h>

#include "sandbox/init/bundle_reader.h"

namespace caisson::init {

// An order of bytes, a prefix before what it begins: a directory comes before everything below it.
inline int ComparePaths(const char* a, uint32_t a_bytes, const char* b, uint32_t b_bytes) {
  const int order = __builtin_memcmp(a, b, a_bytes < b_bytes ? a_bytes : b_bytes);
  return order != 0 ? order : (a_bytes > b_bytes ? 1 : 0) - (a_bytes < b_bytes ? 1 : 0);
}

class AskedPaths {
 public:
  struct Path {
    const char* text;  // relative to /box; empty for /box itself
    uint32_t bytes;
    bool is_safe;  // IsSafeRelativePath, or /box itself
    bool is_met;   // the walk has come across it
  };

  // Takes the first kMaxOutputPaths; the dispatcher lets no request have more.
  explicit AskedPaths(BundleReader bundle);

  uint32_t count() const { return count_; }
  Path& at(uint32_t index) { return paths_[index]; }
  // Marks the path as met if it is asked for; whether it is.
  bool Meet(const char* text, uint32_t bytes);

 private:
  uint32_t count_ = 0;
  Path paths_[wire::kMaxOutputPaths];
};

}  // namespace caisson::init

#endif  // CAISSON_SANDBOX_INIT_COLLECT_PATHS_H_
