#include <algorithm>

#include "policy/json_document.h"
#include "policy/nearest.h"

namespace caisson::policy {

JsonObjectReader::JsonObjectReader(const JsonValue& value, std::string file, std::string path,
                                   std::vector<std::string>& complaints)
    : value_(value), file_(std::move(file)), path_(std::move(path)), complaints_(complaints) {
  if (value_.type != JsonValue::Type::kObject) {
    complaints_.push_back(Complaint(file_, value_.line, path_.empty() ? "document" : path_,
                                    std::string("must be an object, not ") + TypeInWords(value_.type)));
  }
}

const JsonValue* JsonObjectReader::Find(std::string_view key) const {
  const auto found = std::find_if(value_.members.begin(), value_.members.end(),
                                  [key](const auto& member) { return member.name == key; });
  return found == value_.members.end() ? nullptr : &found->value;
}

bool JsonObjectReader::Has(std::string_view key) const { return Find(key) != nullptr; }

int JsonObjectReader::LineOf(std::string_view key) const {
  const JsonValue* found = Find(key);
  return found == nullptr ? value_.line : found->line;
}

std::string JsonObjectReader::KeyPath(std::string_view key) const {
  return path_.empty() ? std::string(key) : path_ + "." + std::string(key);
}

void JsonObjectReader::Complain(std::string_view key, const std::string& reason) {
  complaints_.push_back(Complaint(file_, LineOf(key), KeyPath(key), reason));
}

const JsonValue* JsonObjectReader::Take(std::string_view key, JsonValue::Type type) {
  asked_.emplace_back(key);
  const JsonValue* found = Find(key);
  if (found == nullptr) {
    return nullptr;
  }
  if (found->type != type) {
    Complain(key, std::string("must be ") + TypeInWords(type) + ", not " + TypeInWords(found->type));
    return nullptr;
  }
  return found;
}

std::optional<std::string> JsonObjectReader::String(std::string_view key) {
  const JsonValue* found = Take(key, JsonValue::Type::kString);
  return found == nullptr ? std::nullopt : std::optional(found->text);
}

std::optional<uint64_t> JsonObjectReader::Unsigned(std::string_view key) {
  const JsonValue* found = Take(key, JsonValue::Type::kUnsigned);
  return found == nullptr ? std::nullopt : std::optional(found->number);
}

std::optional<bool> JsonObjectReader::Bool(std::string_view key) {
  const JsonValue* found = Take(key, JsonValue::Type::kBool);
  return found == nullptr ? std::nullopt : std::optional(found->boolean);
}

std::optional<std::vector<std::string>> JsonObjectReader::StringArray(std::string_view key) {
  const JsonValue* found = Take(key, JsonValue::Type::kArray);
  if (found == nullptr) {
    return std::nullopt;
  }
  std::vector<std::string> strings;
  for (size_t index = 0; index < found->items.size(); ++index) {
    const JsonValue& item = found->items[index];
    if (item.type != JsonValue::Type::kString) {
      complaints_.push_back(Complaint(file_, item.line, KeyPath(key) + "[" + std::to_string(index) + "]",
                                      std::string("must be a string, not ") + TypeInWords(item.type)));
      return std::nullopt;
    }
    strings.push_back(item.text);
  }
  return strings;
}

const JsonValue* JsonObjectReader::Object(std::string_view key) {
  return Take(key, JsonValue::Type::kObject);
}

const JsonValue* JsonObjectReader::Array(std::string_view key) { return Take(key, JsonValue::Type::kArray); }

const JsonValue* JsonObjectReader::Any(std::string_view key) {
  asked_.emplace_back(key);
  return Find(key);
}

void JsonObjectReader::Require(std::string_view key) {
  if (!Has(key) && value_.type == JsonValue::Type::kObject) {
    Complain(key, "is missing");
  }
}

void JsonObjectReader::Finish(Quotes quotes) {
  for (const auto& [key, member] : value_.members) {
    if (std::find(asked_.begin(), asked_.end(), key) != asked_.end()) {
      continue;
    }
    const std::string reason = "unknown key" + DidYouMean(asked_, key);
    if (quotes == Quotes::kContents) {
      Complain(key, reason);
    } else {
      complaints_.push_back(Complaint(file_, member.line, path_.empty() ? "document" : path_, reason));
    }
  }
}

}  // namespace caisson::policy
