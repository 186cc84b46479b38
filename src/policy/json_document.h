// JSON with line numbers: nlohmann's SAX parser over a line-counting iterator, into a small tree whose every
// value knows where it stood. Duplicate keys are errors. Used for configuration and profiles; never for
// client data.
#ifndef CAISSON_POLICY_JSON_DOCUMENT_H_
#define CAISSON_POLICY_JSON_DOCUMENT_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace caisson::policy {

struct JsonMember;

struct JsonValue {
  enum class Type { kNull, kBool, kUnsigned, kSigned, kFloat, kString, kArray, kObject };
  Type type = Type::kNull;
  int line = 0;
  bool boolean = false;
  uint64_t number = 0;              // kUnsigned
  std::string text;                 // kString
  std::vector<JsonValue> items;     // kArray
  std::vector<JsonMember> members;  // kObject, in the order of the file
};

struct JsonMember {
  std::string name;
  JsonValue value;
};

// A value's type in words: "a string".
const char* TypeInWords(JsonValue::Type type);

inline constexpr size_t kMaxJsonDepth = 32;

// Whether messages may repeat what stands in the file, which helps whoever mends it. Not where a fault may
// have put a secret there: messages go to the log.
enum class Quotes : uint8_t { kContents, kNothing };

// Parses `text`. `file` appears in messages only. kInvalidArgument "FILE:LINE: reason".
// Refused beyond what JSON says: duplicate keys, NUL characters (escaped ones too), more than kMaxJsonDepth
// levels.
absl::StatusOr<JsonValue> ParseJson(std::string_view text, const std::string& file,
                                    Quotes quotes = Quotes::kContents);

// "FILE:LINE: KEY: reason", the form of every complaint about a file.
std::string Complaint(const std::string& file, int line, const std::string& key, const std::string& reason);

// Walks one JSON object and accounts for its keys: each is asked for by name and type, and what nobody asked
// for is an error at Finish(). Complaints gather in a shared list in the form "FILE:LINE: a.b.key: reason".
class JsonObjectReader {
 public:
  JsonObjectReader(const JsonValue& value, std::string file, std::string path,
                   std::vector<std::string>& complaints);

  bool Has(std::string_view key) const;
  std::optional<std::string> String(std::string_view key);
  std::optional<uint64_t> Unsigned(std::string_view key);
  std::optional<bool> Bool(std::string_view key);
  std::optional<std::vector<std::string>> StringArray(std::string_view key);
  // nullptr if absent; a complaint and nullptr if of another type.
  const JsonValue* Object(std::string_view key);
  const JsonValue* Array(std::string_view key);
  // Makes a key known whose value the caller reads by itself; nullptr if absent.
  const JsonValue* Any(std::string_view key);
  // A key that must be there: complains if it is not.
  void Require(std::string_view key);
  // The line of a key, or of the object if the key is absent.
  int LineOf(std::string_view key) const;
  // "PATH.key"; the key alone in the outermost object.
  std::string KeyPath(std::string_view key) const;
  // The list that complaints go to, for readers of parts of this object.
  std::vector<std::string>& complaints() { return complaints_; }
  // Adds "FILE:LINE: PATH.key: reason".
  void Complain(std::string_view key, const std::string& reason);
  // Complains about every key that was never asked for, naming the nearest known one, and the key itself if
  // `quotes` allows that.
  void Finish(Quotes quotes = Quotes::kContents);

  const std::string& path() const { return path_; }
  const std::string& file() const { return file_; }

 private:
  const JsonValue* Find(std::string_view key) const;
  const JsonValue* Take(std::string_view key, JsonValue::Type type);

  const JsonValue& value_;
  std::string file_;
  std::string path_;
  std::vector<std::string>& complaints_;
  std::vector<std::string> asked_;
};

// kInvalidArgument with all complaints, one a line; OK when there are none.
absl::Status ComplaintsToStatus(const std::vector<std::string>& complaints);

}  // namespace caisson::policy

#endif  // CAISSON_POLICY_JSON_DOCUMENT_H_
