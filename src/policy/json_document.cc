#include "policy/json_document.h"

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <unordered_set>

#include "common/status.h"
#include "common/utf8.h"

namespace caisson::policy {
namespace {

constexpr size_t kMaxMessageBytes = 240;

// How far the parser has read. The parser copies its iterators, so they share this.
struct ReadPosition {
  int line = 1;
  char last = '\0';

  // The line of the token just read. The lexer looks one character ahead after a number, which may be a
  // line's end.
  int TokenLine() const { return last == '\n' ? line - 1 : line; }
};

class LineCountingIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  LineCountingIterator(const char* at, ReadPosition* position) : at_(at), position_(position) {}
  reference operator*() const { return *at_; }
  LineCountingIterator& operator++() {
    position_->last = *at_;
    if (*at_ == '\n') {
      ++position_->line;
    }
    ++at_;
    return *this;
  }
  LineCountingIterator operator++(int) {
    LineCountingIterator before = *this;
    ++*this;
    return before;
  }
  bool operator==(const LineCountingIterator& other) const { return at_ == other.at_; }
  bool operator!=(const LineCountingIterator& other) const { return at_ != other.at_; }

 private:
  const char* at_;
  ReadPosition* position_;
};

// Builds the tree. Every event returns false once something is wrong, which stops the parser; it never
// throws.
class TreeBuilder : public nlohmann::json_sax<nlohmann::json> {
 public:
  TreeBuilder(const ReadPosition& position, Quotes quotes) : position_(position), quotes_(quotes) {}

  bool null() override { return Add(Scalar(JsonValue::Type::kNull)); }
  bool boolean(bool value) override {
    JsonValue made = Scalar(JsonValue::Type::kBool);
    made.boolean = value;
    return Add(std::move(made));
  }
  bool number_integer(number_integer_t) override { return Add(Scalar(JsonValue::Type::kSigned)); }
  bool number_unsigned(number_unsigned_t value) override {
    JsonValue made = Scalar(JsonValue::Type::kUnsigned);
    made.number = value;
    return Add(std::move(made));
  }
  bool number_float(number_float_t, const string_t&) override { return Add(Scalar(JsonValue::Type::kFloat)); }
  bool string(string_t& value) override {
    if (value.find('\0') != std::string::npos) {
      return Fail("a string holds a NUL character");
    }
    JsonValue made = Scalar(JsonValue::Type::kString);
    made.text = std::move(value);
    return Add(std::move(made));
  }
  bool binary(binary_t&) override { return Fail("binary values are not JSON"); }
  bool start_object(std::size_t) override { return Open(JsonValue::Type::kObject); }
  bool start_array(std::size_t) override { return Open(JsonValue::Type::kArray); }
  bool end_object() override { return Close(); }
  bool end_array() override { return Close(); }
  bool key(string_t& value) override {
    if (value.find('\0') != std::string::npos) {
      return Fail("a key holds a NUL character");
    }
    if (!open_.back().keys.insert(value).second) {
      return Fail(quotes_ == Quotes::kContents ? "duplicate key '" + value + "'" : "duplicate key");
    }
    open_.back().key = std::move(value);
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception& error) override {
    if (quotes_ == Quotes::kNothing) {
      return Fail("is not JSON");  // its reasons end with what was read last
    }
    // nlohmann puts its own position in front; ours counts the same lines, so keep the reason only.
    std::string reason = error.what();
    const size_t start = reason.find("syntax error");
    if (start != std::string::npos) {
      reason.erase(0, start);
    }
    return Fail(reason);
  }

  const std::string& error() const { return error_; }
  int error_line() const { return error_line_; }
  JsonValue TakeRoot() { return std::move(root_); }

 private:
  struct OpenValue {
    JsonValue value;
    std::string key;  // of the member being read
    std::unordered_set<std::string> keys;
  };

  JsonValue Scalar(JsonValue::Type type) const {
    JsonValue made;
    made.type = type;
    made.line = position_.TokenLine();
    return made;
  }

  bool Open(JsonValue::Type type) {
    // The tree is destroyed by recursion.
    if (open_.size() >= kMaxJsonDepth) {
      return Fail("more than " + std::to_string(kMaxJsonDepth) + " levels deep");
    }
    open_.push_back({Scalar(type), {}, {}});
    return true;
  }

  bool Close() {
    JsonValue done = std::move(open_.back().value);
    open_.pop_back();
    return Add(std::move(done));
  }

  bool Add(JsonValue value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return true;
    }
    OpenValue& parent = open_.back();
    if (parent.value.type == JsonValue::Type::kArray) {
      parent.value.items.push_back(std::move(value));
    } else {
      parent.value.members.push_back({std::move(parent.key), std::move(value)});
    }
    return true;
  }

  bool Fail(std::string reason) {
    if (reason.size() > kMaxMessageBytes) {
      reason.resize(kMaxMessageBytes);
    }
    error_ = std::move(reason);
    error_line_ = position_.TokenLine();
    return false;
  }

  const ReadPosition& position_;
  const Quotes quotes_;
  std::vector<OpenValue> open_;
  JsonValue root_;
  std::string error_;
  int error_line_ = 0;
};

}  // namespace

const char* TypeInWords(JsonValue::Type type) {
  switch (type) {
    case JsonValue::Type::kNull:
      return "null";
    case JsonValue::Type::kBool:
      return "true or false";
    case JsonValue::Type::kUnsigned:
      return "a whole number";
    case JsonValue::Type::kSigned:
      return "a negative number";
    case JsonValue::Type::kFloat:
      return "a number with a fraction or beyond 64 bits";
    case JsonValue::Type::kString:
      return "a string";
    case JsonValue::Type::kArray:
      return "an array";
    case JsonValue::Type::kObject:
      return "an object";
  }
  return "unknown";
}

absl::StatusOr<JsonValue> ParseJson(std::string_view text, const std::string& file, Quotes quotes) {
  // To nlohmann's lexer a NUL is the end of the input: what follows would be ignored.
  const size_t nul = text.find('\0');
  if (nul != std::string_view::npos) {
    const auto line = 1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(nul), '\n');
    return absl::InvalidArgumentError(file + ":" + std::to_string(line) + ": a NUL character");
  }
  ReadPosition position;
  TreeBuilder builder(position, quotes);
  const bool parsed =
      nlohmann::json::sax_parse(LineCountingIterator(text.data(), &position),
                                LineCountingIterator(text.data() + text.size(), &position), &builder);
  if (!parsed) {
    return absl::InvalidArgumentError(file + ":" + std::to_string(builder.error_line()) + ": " +
                                      builder.error());
  }
  return builder.TakeRoot();
}

std::string Complaint(const std::string& file, int line, const std::string& key, const std::string& reason) {
  // A key or a value may hold a line break of its own, and a complaint is one line.
  return file + ":" + std::to_string(line) + ": " + EscapeUnprintable(key) + ": " + EscapeUnprintable(reason);
}

absl::Status ComplaintsToStatus(const std::vector<std::string>& complaints) {
  std::string message;
  for (const std::string& complaint : complaints) {
    if (!message.empty()) {
      message += '\n';
    }
    message += complaint;
  }
  return message.empty() ? absl::OkStatus() : absl::InvalidArgumentError(message);
}

}  // namespace caisson::policy
