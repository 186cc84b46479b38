#include "orchestrator/config_listeners.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

namespace caisson::orchestrator {
namespace {

using policy::JsonObjectReader;
using policy::JsonValue;

constexpr std::string_view kUnix = "unix:";
constexpr size_t kMostSocketPathBytes = 107;  // sun_path with its NUL
constexpr size_t kMostTenantBytes = 63;
constexpr size_t kMostUserBytes = 32;
constexpr char kLowerCase[] = "abcdefghijklmnopqrstuvwxyz";
constexpr char kNameRest[] = "abcdefghijklmnopqrstuvwxyz0123456789-";

// A name by useradd(8)'s default rule, or a number.
bool IsUser(const std::string& text) {
  return !text.empty() && text.size() <= kMostUserBytes &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyz_0123456789-") == std::string::npos &&
         text.front() != '-';
}

// Whoever has such a role belongs to no tenant, and is a user whom the listener names.
bool MustBeNamed(ipc::ClientRole role) {
  return role == ipc::ClientRole::kOperator || role == ipc::ClientRole::kAdmin;
}

void ReadSocket(JsonObjectReader& reader, const std::string& main_socket,
                const std::vector<ListenerConfig>& before, ListenerConfig& listener) {
  reader.Require("socket");
  listener.socket = reader.String("socket").value_or("");
  const std::string path =
      listener.socket.starts_with(kUnix) ? listener.socket.substr(kUnix.size()) : std::string();
  if (path.size() < 2 || path.size() > kMostSocketPathBytes || path.front() != '/' || path.back() == '/' ||
      path.find("/../") != std::string::npos || path.ends_with("/..")) {
    reader.Complain("socket", "must be unix: and an absolute path of at most " +
                                  std::to_string(kMostSocketPathBytes) + " bytes, without '..'");
  } else if (listener.socket == main_socket ||
             std::any_of(before.begin(), before.end(),
                         [&](const ListenerConfig& other) { return other.socket == listener.socket; })) {
    reader.Complain("socket", "another listener has this address");
  }
}

// Whether callers show tokens, which then say everything that would be said here.
bool ReadAuthentication(JsonObjectReader& reader, ListenerConfig& listener) {
  const std::string how = reader.String("authentication").value_or("socket");
  if (how != "socket" && how != "token") {
    reader.Complain("authentication", "must be socket or token");
  }
  if (how != "token") {
    return false;
  }
  listener.role = ipc::ClientRole::kByToken;
  for (const char* key : {"tenant", "role"}) {
    if (reader.Any(key) != nullptr) {
      reader.Complain(key, "must be left out: each token says it");
    }
  }
  return true;
}

void ReadWho(JsonObjectReader& reader, ListenerConfig& listener) {
  if (ReadAuthentication(reader, listener)) {
    return;
  }
  const std::string role = reader.String("role").value_or("run");
  if (role == "run") {
    listener.role = ipc::ClientRole::kRun;
  } else if (role == "observe") {
    listener.role = ipc::ClientRole::kObserve;
  } else if (role == "operator") {
    listener.role = ipc::ClientRole::kOperator;
  } else if (role == "admin") {
    listener.role = ipc::ClientRole::kAdmin;
  } else {
    reader.Complain("role", "must be run, observe, operator or admin");
  }
  if (MustBeNamed(listener.role)) {
    if (reader.Has("tenant")) {
      reader.Complain("tenant", "must be left out: an " + role + " belongs to no tenant");
    }
  } else {
    reader.Require("tenant");
  }
  if (const auto tenant = reader.String("tenant")) {
    listener.tenant = *tenant;
    if (!IsTenantName(*tenant)) {
      reader.Complain("tenant",
                      "must be a lower-case letter and then lower-case letters, digits and '-', at most " +
                          std::to_string(kMostTenantBytes) + " bytes");
    }
  }
}

void ReadFile(JsonObjectReader& reader, ListenerConfig& listener) {
  if (const auto mode = reader.String("mode")) {
    unsigned int value = 0;
    const char* const end = mode->data() + mode->size();
    const auto [at, error] = std::from_chars(mode->data(), end, value, 8);
    if (error != std::errc() || at != end || value > 0777) {
      reader.Complain("mode", "must be octal digits in a string, at most \"0777\"");
    }
    listener.mode = value;
  }
  for (const auto& [key, into] : {std::pair("owner", &listener.owner), std::pair("group", &listener.group)}) {
    if (const auto name = reader.String(key)) {
      *into = *name;
      if (!IsUser(*name)) {
        reader.Complain(key, "is neither a name nor a number");
      }
    }
  }
}

void ReadPeers(JsonObjectReader& reader, ListenerConfig& listener) {
  listener.peer_users = reader.StringArray("peer_users").value_or(std::vector<std::string>());
  if (listener.peer_users.size() > ipc::kMaxPeers) {
    reader.Complain("peer_users", "has more than " + std::to_string(ipc::kMaxPeers) + " entries");
  }
  for (const std::string& user : listener.peer_users) {
    if (!IsUser(user)) {
      reader.Complain("peer_users", "has an entry that is neither a name nor a number");
    }
  }
  // An empty list looks like "nobody" and would mean "everybody".
  if (reader.Has("peer_users") && listener.peer_users.empty()) {
    reader.Complain("peer_users", "must not be empty; leave it out to let the file's mode decide");
  }
  if (listener.peer_users.empty() && MustBeNamed(listener.role)) {
    reader.Complain("peer_users", std::string("must be there: ") +
                                      (listener.role == ipc::ClientRole::kAdmin ? "admins" : "operators") +
                                      " are named");
  }
}

}  // namespace

bool HaveAdmins(const std::vector<ListenerConfig>& listeners) {
  return std::any_of(listeners.begin(), listeners.end(),
                     [](const ListenerConfig& listener) { return listener.role == ipc::ClientRole::kAdmin; });
}

bool IsTenantName(const std::string& name) {
  return !name.empty() && name.size() <= kMostTenantBytes &&
         std::string_view(kLowerCase).find(name.front()) != std::string_view::npos &&
         name.find_first_not_of(kNameRest) == std::string::npos;
}

void ReadListeners(JsonObjectReader& reader, const std::string& main_socket,
                   std::vector<ListenerConfig>& listeners) {
  const JsonValue* array = reader.Array("listeners");
  if (array == nullptr) {
    return;
  }
  if (array->items.size() > ipc::kMaxListeners) {
    reader.Complain("listeners", "has more than " + std::to_string(ipc::kMaxListeners) + " entries");
  }
  for (const JsonValue& item : array->items) {
    const std::string path = reader.KeyPath("listeners") + "[" + std::to_string(listeners.size()) + "]";
    ListenerConfig listener;
    if (item.type != JsonValue::Type::kObject) {
      reader.complaints().push_back(
          policy::Complaint(reader.file(), item.line, path,
                            std::string("must be an object, not ") + policy::TypeInWords(item.type)));
      listeners.push_back(listener);
      continue;
    }
    JsonObjectReader entry(item, reader.file(), path, reader.complaints());
    ReadSocket(entry, main_socket, listeners, listener);
    ReadWho(entry, listener);
    ReadFile(entry, listener);
    ReadPeers(entry, listener);
    entry.Finish();
    listeners.push_back(std::move(listener));
  }
}

}  // namespace caisson::orchestrator
