#include "gateway/json_reader.h"

#include <string>
#include <utility>
#include <vector>

#include "common/utf8.h"

namespace caisson::gateway {
namespace {

using Json = nlohmann::json;

constexpr size_t kMaxQuotedBytes = 200;

// Builds the value as it is read, so that a body is looked at once, and stops at the first thing beyond a
// bound.
class Builder final : public nlohmann::json_sax<Json> {
 public:
  explicit Builder(Json& root) : root_(root) {}
  const std::string& reason() const { return reason_; }

  bool null() override { return Put(nullptr) != nullptr; }
  bool boolean(bool value) override { return Put(value) != nullptr; }
  bool number_integer(number_integer_t value) override { return Put(value) != nullptr; }
  bool number_unsigned(number_unsigned_t value) override { return Put(value) != nullptr; }
  bool number_float(number_float_t value, const string_t& /*text*/) override { return Put(value) != nullptr; }
  bool string(string_t& value) override { return Put(std::move(value)) != nullptr; }
  bool binary(binary_t& /*value*/) override { return Stop("the body is not JSON"); }
  bool start_object(std::size_t /*elements*/) override { return Enter(Json::object()); }
  bool end_object() override { return Leave(); }
  bool start_array(std::size_t /*elements*/) override { return Enter(Json::array()); }
  bool end_array() override { return Leave(); }
  bool key(string_t& name) override {
    if (!Count()) {
      return false;
    }
    const auto [member, made] = open_.back()->emplace(name, nullptr);
    if (!made) {
      return Stop("the name \"" + EscapeUnprintable(std::string_view(name).substr(0, kMaxQuotedBytes)) +
                  "\" stands twice in one object");
    }
    member_ = &*member;
    return true;
  }
  bool parse_error(std::size_t position, const std::string& /*last_token*/,
                   const Json::exception& /*error*/) override {
    return Stop("the body is not JSON: byte " + std::to_string(position) + " cannot stand there");
  }

 private:
  // Where the value stands now; null beyond a bound. Values do not move while something below them is open.
  Json* Put(Json value) {
    if (!Count()) {
      return nullptr;
    }
    if (open_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    if (open_.back()->is_array()) {
      open_.back()->push_back(std::move(value));
      return &open_.back()->back();
    }
    *member_ = std::move(value);
    return member_;
  }
  bool Enter(Json empty) {
    if (open_.size() >= kMaxJsonDepth) {
      return Stop("the body is nested more than " + std::to_string(kMaxJsonDepth) + " deep");
    }
    Json* const place = Put(std::move(empty));
    if (place == nullptr) {
      return false;
    }
    open_.push_back(place);
    return true;
  }
  bool Leave() {
    open_.pop_back();
    return true;
  }
  bool Count() {
    return ++values_ <= kMaxJsonValues ||
           Stop("the body has more than " + std::to_string(kMaxJsonValues) + " names and values");
  }
  bool Stop(std::string reason) {
    reason_ = std::move(reason);
    return false;
  }

  Json& root_;
  std::vector<Json*> open_;  // the objects and arrays around the next value, outermost first
  Json* member_ = nullptr;   // of the innermost object: where the next value goes
  size_t values_ = 0;
  std::string reason_;
};

}  // namespace

std::optional<Problem> ParseJson(std::string_view text, Json& json) {
  Builder builder(json);
  if (!Json::sax_parse(text, &builder)) {
    return Refuse(Refusal::kMalformedJson, builder.reason());
  }
  return std::nullopt;
}

}  // namespace caisson::gateway
