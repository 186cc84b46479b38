#include "policy/profile_source.h"

#include <utility>

#include "common/status.h"
#include "policy/image_file.h"
#include "policy/json_document.h"
#include "policy/layout_check.h"
#include "policy/step_reader.h"

namespace caisson::policy {
namespace {

constexpr uint64_t kSchemaVersion = 1;

std::optional<Located<std::string>> ReadText(JsonObjectReader& reader, std::string_view key) {
  std::optional<std::string> text = reader.String(key);
  if (!text) {
    return std::nullopt;
  }
  return Located<std::string>{*std::move(text), PositionOf(reader, key)};
}

bool IsLibraryName(const std::string& name) {
  constexpr char kLetters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._+-";
  return !name.empty() && name.size() <= 63 && name.find_first_not_of(kLetters) == std::string::npos;
}

// The file name without directory and ".json".
std::string StemOf(const std::string& file) {
  std::string stem = file.substr(file.find_last_of('/') + 1);
  if (stem.ends_with(".json")) {
    stem.resize(stem.size() - 5);
  }
  return stem;
}

void ReadName(JsonObjectReader& reader, ProfileSource& source) {
  reader.Require("name");
  source.name = ReadText(reader, "name").value_or(Located<std::string>{{}, PositionOf(reader, "name")});
  if (!reader.Has("name")) {
    return;
  }
  if (!IsProfileName(source.name.value)) {
    reader.Complain("name", "must be 1 to 63 of a-z, 0-9 and '-', and begin with a letter");
  } else if (source.name.value != StemOf(source.file)) {
    reader.Complain("name",
                    "is '" + source.name.value + "' but the file is '" + StemOf(source.file) + ".json'");
  }
}

void ReadToolchain(JsonObjectReader& reader, ProfileSource& source) {
  const JsonValue* value = reader.Object("toolchain");
  if (value == nullptr) {
    return;
  }
  JsonObjectReader toolchain(*value, reader.file(), reader.KeyPath("toolchain"), reader.complaints());
  source.toolchain_package = ReadText(toolchain, "package");
  source.toolchain_probe = ReadText(toolchain, "probe");
  if (source.toolchain_probe && !source.toolchain_probe->value.starts_with('/')) {
    toolchain.Complain("probe", "must be an absolute path");
  }
  toolchain.Finish();
}

void ReadPackages(JsonObjectReader& reader, ProfileSource& source) {
  const JsonValue* value = reader.Object("packages");
  if (value == nullptr) {
    return;
  }
  for (const auto& [name, library] : value->members) {
    const Position at{reader.file(), library.line, reader.KeyPath("packages") + "." + name};
    JsonObjectReader item(library, at.file, at.key, reader.complaints());
    Library read;
    for (const auto& [key, into] : {std::pair{"package", &read.package}, std::pair{"probe", &read.probe}}) {
      item.Require(key);
      *into = item.String(key).value_or("");
    }
    item.Finish();
    if (!IsLibraryName(name)) {
      at.Complain(reader.complaints(), "the name must be 1 to 63 of A-Z, a-z, 0-9, '.', '_', '+' and '-'");
    }
    if (!IsPlainAbsolutePath(read.probe)) {
      at.Complain(reader.complaints(), "probe must be an absolute path");
    }
    source.packages[name] = {std::move(read), at};
  }
}

// "host", or {"image": PATH, "digest": "sha256:..."}.
void ReadRoot(JsonObjectReader& reader, ProfileSource& source) {
  const JsonValue* value = reader.Any("root");
  if (value == nullptr) {
    return;
  }
  const Position at = PositionOf(reader, "root");
  if (value->type == JsonValue::Type::kString && value->text == "host") {
    source.root = Located<std::optional<RootImage>>{std::nullopt, at};
    return;
  }
  if (value->type != JsonValue::Type::kObject) {
    reader.Complain("root", R"(must be "host" or {"image": PATH, "digest": "sha256:..."})");
    return;
  }
  JsonObjectReader root(*value, reader.file(), reader.KeyPath("root"), reader.complaints());
  RootImage image;
  root.Require("image");
  image.path = root.String("image").value_or("");
  if (root.Has("image") && !IsPlainAbsolutePath(image.path)) {
    root.Complain("image", "must be an absolute path without '.', '..' and needless slashes");
  }
  root.Require("digest");
  image.digest = root.String("digest").value_or("");
  if (root.Has("digest") && !ParseDigest(image.digest)) {
    root.Complain("digest", "must be sha256: and 64 of 0-9 and a-f: what `sha256sum` says of the file");
  }
  root.Finish();
  image.written_at = at.Where() + ": " + at.key;
  source.root = Located<std::optional<RootImage>>{std::move(image), at};
}

void ReadSteps(JsonObjectReader& reader, ProfileSource& source) {
  const JsonValue* value = reader.Object("steps");
  if (value == nullptr) {
    return;
  }
  JsonObjectReader steps(*value, reader.file(), reader.KeyPath("steps"), reader.complaints());
  const auto read = [&](std::string_view key, std::optional<StepSource>& into) {
    if (const JsonValue* step = steps.Object(key)) {
      JsonObjectReader step_reader(*step, steps.file(), steps.KeyPath(key), steps.complaints());
      into = ReadStep(step_reader);
    }
  };
  read("all", source.all);
  read("compile", source.compile);
  read("run", source.run);
  steps.Finish();
}

}  // namespace

bool IsProfileName(const std::string& name) {
  if (name.empty() || name.size() > 63 || name[0] < 'a' || name[0] > 'z') {
    return false;
  }
  return name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string::npos;
}

absl::StatusOr<ProfileSource> ParseProfileText(std::string_view text, const std::string& file) {
  ASSIGN_OR_RETURN(const JsonValue document, ParseJson(text, file));
  std::vector<std::string> complaints;
  ProfileSource source;
  source.file = file;
  JsonObjectReader reader(document, file, "", complaints);
  reader.Require("schema_version");
  if (reader.Unsigned("schema_version").value_or(kSchemaVersion) != kSchemaVersion) {
    reader.Complain("schema_version", "must be 1");
  }
  reader.Any("$schema");  // for editors
  ReadName(reader, source);
  source.extends = ReadText(reader, "extends");
  source.abstract = reader.Bool("abstract").value_or(false);
  source.display_name = ReadText(reader, "display_name");
  source.description = ReadText(reader, "description");
  source.file_extension = ReadText(reader, "file_extension");
  source.default_main_file = ReadText(reader, "default_main_file");
  source.hello_program = ReadText(reader, "hello_program");
  ReadToolchain(reader, source);
  ReadPackages(reader, source);
  if (const std::optional<bool> interactive = reader.Bool("interactive")) {
    source.interactive = Located<bool>{*interactive, PositionOf(reader, "interactive")};
  }
  ReadRoot(reader, source);
  ReadSteps(reader, source);
  reader.Finish();
  RETURN_IF_ERROR(ComplaintsToStatus(complaints));
  return source;
}

}  // namespace caisson::policy
