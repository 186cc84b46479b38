#include "policy/step_reader.h"

#include <functional>

#include "policy/syscall_rule_reader.h"

namespace caisson::policy {
namespace {

// Calls `read` with a reader for each object of the array `key`.
void ForEachObject(JsonObjectReader& reader, std::string_view key,
                   const std::function<void(JsonObjectReader&, const Position&)>& read) {
  const JsonValue* array = reader.Array(key);
  if (array == nullptr) {
    return;
  }
  for (size_t index = 0; index < array->items.size(); ++index) {
    const JsonValue& item = array->items[index];
    const std::string path = reader.KeyPath(key) + "[" + std::to_string(index) + "]";
    JsonObjectReader item_reader(item, reader.file(), path, reader.complaints());
    read(item_reader, {reader.file(), item.line, path});
    item_reader.Finish();
  }
}

std::string RequiredText(JsonObjectReader& reader, std::string_view key) {
  reader.Require(key);
  return reader.String(key).value_or("");
}

void ReadEnvironment(JsonObjectReader& reader, StepSource& step) {
  const JsonValue* object = reader.Object("environment");
  if (object == nullptr) {
    return;
  }
  for (const auto& [name, value] : object->members) {
    const Position at{reader.file(), value.line, reader.KeyPath("environment") + "." + name};
    EnvironmentValue read;
    if (value.type == JsonValue::Type::kString) {
      read.value = value.text;
    } else {
      JsonObjectReader explained(value, at.file, at.key, reader.complaints());
      read.value = RequiredText(explained, "value");
      read.why = RequiredText(explained, "why");
      explained.Finish();
    }
    step.environment[name] = {std::move(read), at};
  }
}

void ReadLimitHints(JsonObjectReader& reader, StepSource& step) {
  ForEachObject(reader, "limit_hints", [&](JsonObjectReader& item, const Position& at) {
    LimitHintSource hint;
    hint.argument = item.String("argument").value_or("");
    hint.variable = item.String("variable").value_or("");
    hint.value = item.String("value").value_or("");
    hint.percent = item.Unsigned("percent");
    hint.why = RequiredText(item, "why");
    step.limit_hints.push_back({std::move(hint), at});
  });
}

void ReadMounts(JsonObjectReader& reader, StepSource& step) {
  ForEachObject(reader, "mounts", [&](JsonObjectReader& item, const Position& at) {
    BindMount mount;
    mount.source = RequiredText(item, "source");
    mount.target = item.String("target").value_or(mount.source);
    mount.executable = item.Bool("executable").value_or(false);
    mount.optional = item.Bool("optional").value_or(false);
    mount.why = RequiredText(item, "why");
    step.mounts.push_back({std::move(mount), at});
  });
}

void ReadSymlinksAndFiles(JsonObjectReader& reader, StepSource& step) {
  ForEachObject(reader, "symlinks", [&](JsonObjectReader& item, const Position& at) {
    Symlink symlink;
    symlink.path = RequiredText(item, "path");
    symlink.target = RequiredText(item, "target");
    step.symlinks.push_back({std::move(symlink), at});
  });
  ForEachObject(reader, "files", [&](JsonObjectReader& item, const Position& at) {
    TextFile file;
    file.path = RequiredText(item, "path");
    file.content = RequiredText(item, "content");
    step.files.push_back({std::move(file), at});
  });
}

void ReadNetwork(JsonObjectReader& reader, StepSource& step) {
  const std::optional<std::string> network = reader.String("network");
  if (!network) {
    return;
  }
  if (*network == "none") {
    step.network = Located<NetworkMode>{NetworkMode::kNone, PositionOf(reader, "network")};
  } else if (*network == "loopback") {
    step.network = Located<NetworkMode>{NetworkMode::kLoopback, PositionOf(reader, "network")};
  } else {
    reader.Complain("network", "must be none or loopback");
  }
}

std::optional<Located<uint64_t>> ReadBound(JsonObjectReader& reader, LimitId id, std::string_view key) {
  const std::optional<uint64_t> value = reader.Unsigned(key);
  if (!value) {
    return std::nullopt;
  }
  if (*value == 0) {
    reader.Complain(key, "must not be 0");
  } else if (*value < Minimum(id)) {
    reader.Complain(key, "must be at least " + std::to_string(Minimum(id)));
  } else if (*value > AbsoluteMaximum(id)) {
    reader.Complain(key, "must be at most " + std::to_string(AbsoluteMaximum(id)));
  }
  return Located<uint64_t>{*value, PositionOf(reader, key)};
}

void ReadLimits(JsonObjectReader& reader, StepSource& step) {
  const JsonValue* object = reader.Object("limits");
  if (object == nullptr) {
    return;
  }
  JsonObjectReader limits(*object, reader.file(), reader.KeyPath("limits"), reader.complaints());
  for (const std::string& name : LimitNames()) {
    const JsonValue* value = limits.Object(name);
    if (value == nullptr) {
      continue;
    }
    const LimitId id = *FindLimit(name);
    JsonObjectReader limit(*value, limits.file(), limits.KeyPath(name), limits.complaints());
    step.limits[id] = {ReadBound(limit, id, "default"), ReadBound(limit, id, "ceiling")};
    limit.Finish();
  }
  limits.Finish();
}

void ReadSyscalls(JsonObjectReader& reader, StepSource& step) {
  const JsonValue* object = reader.Object("syscalls");
  if (object == nullptr) {
    return;
  }
  JsonObjectReader syscalls(*object, reader.file(), reader.KeyPath("syscalls"), reader.complaints());
  if (const JsonValue* groups = syscalls.Array("groups")) {
    for (size_t index = 0; index < groups->items.size(); ++index) {
      const JsonValue& item = groups->items[index];
      const Position at{syscalls.file(), item.line,
                        syscalls.KeyPath("groups") + "[" + std::to_string(index) + "]"};
      if (item.type != JsonValue::Type::kString) {
        at.Complain(syscalls.complaints(), std::string("must be a string, not ") + TypeInWords(item.type));
        continue;
      }
      step.groups.push_back({item.text, at});
    }
  }
  if (const JsonValue* rules = syscalls.Array("rules")) {
    step.rules = ReadSyscallRules(*rules, syscalls.file(), syscalls.KeyPath("rules"), syscalls.complaints());
  }
  syscalls.Finish();
}

}  // namespace

StepSource ReadStep(JsonObjectReader& reader) {
  StepSource step;
  if (std::optional<std::vector<std::string>> command = reader.StringArray("command")) {
    step.command = Located<std::vector<std::string>>{*std::move(command), PositionOf(reader, "command")};
  }
  if (std::optional<std::vector<std::string>> outputs = reader.StringArray("outputs")) {
    step.outputs = Located<std::vector<std::string>>{*std::move(outputs), PositionOf(reader, "outputs")};
  }
  ReadEnvironment(reader, step);
  ReadLimitHints(reader, step);
  ReadMounts(reader, step);
  ReadSymlinksAndFiles(reader, step);
  if (const std::optional<bool> executable = reader.Bool("box_executable")) {
    step.box_executable = Located<bool>{*executable, PositionOf(reader, "box_executable")};
  }
  ReadNetwork(reader, step);
  ReadLimits(reader, step);
  ReadSyscalls(reader, step);
  reader.Finish();
  return step;
}

}  // namespace caisson::policy
