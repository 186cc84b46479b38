// Where a value of a profile was written, kept until every check that might complain about it is done.
#ifndef CAISSON_POLICY_LOCATED_H_
#define CAISSON_POLICY_LOCATED_H_

#include <string>
#include <vector>

#include "policy/json_document.h"

namespace caisson::policy {

struct Position {
  std::string file;
  int line = 0;
  std::string key;

  // Adds "FILE:LINE: KEY: reason".
  void Complain(std::vector<std::string>& complaints, const std::string& reason) const {
    complaints.push_back(Complaint(file, line, key, reason));
  }
  // "FILE:LINE"
  std::string Where() const { return file + ":" + std::to_string(line); }
};

template <typename T>
struct Located {
  T value{};
  Position at;
};

// The position of a member of the object that `reader` walks.
inline Position PositionOf(const JsonObjectReader& reader, std::string_view key) {
  return {reader.file(), reader.LineOf(key), reader.KeyPath(key)};
}

}  // namespace caisson::policy

#endif  // CAISSON_POLICY_LOCATED_H_
