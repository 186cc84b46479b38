#include "policy/tenant_policy_source.h"

#include <array>
#include <set>
#include <utility>

#include "common/status.h"
#include "policy/json_document.h"
#include "policy/nearest.h"
#include "policy/profile_source.h"

namespace caisson::policy {
namespace {

constexpr uint64_t kSchemaVersion = 1;
constexpr size_t kMostProfiles = 256;
constexpr size_t kMostTests = 1'000;

struct QuotaRange {
  QuotaId id;
  std::string_view name;
  uint64_t least;
  uint64_t most;
};

// None may be 0: what a tenant may not have at all, it should not have a listener for.
constexpr std::array<QuotaRange, kQuotaCount> kQuotas = {{
    {QuotaId::kConcurrentRuns, "concurrent_runs", 1, 1'000'000},
    {QuotaId::kMemoryInFlightBytes, "memory_in_flight_bytes", 16ULL << 20U, 1ULL << 50U},
    {QuotaId::kCpuInFlightMillis, "cpu_in_flight_millis", 1, 1'000'000'000},
    {QuotaId::kRequestsPerSecond, "requests_per_second", 1, 100'000},
    {QuotaId::kRequestBurst, "request_burst", 1, 100'000},
    {QuotaId::kQueueLength, "queue_length", 1, 1'000'000},
    {QuotaId::kCpuSecondsPerDay, "cpu_seconds_per_day", 1, 1'000'000'000},
    {QuotaId::kStoredBytes, "stored_bytes", 1ULL << 20U, 1ULL << 50U},
}};

std::string Range(uint64_t least, uint64_t most) {
  return "must be from " + std::to_string(least) + " to " + std::to_string(most);
}

void ReadProfiles(JsonObjectReader& reader, TenantPolicySource& source) {
  const auto names = reader.StringArray("profiles");
  if (!names) {
    return;
  }
  if (names->empty() || names->size() > kMostProfiles) {
    reader.Complain("profiles", "must have from 1 to " + std::to_string(kMostProfiles) + " names");
  }
  std::set<std::string> seen;
  for (const std::string& name : *names) {
    if (name != "*" && !IsProfileName(name)) {
      reader.Complain("profiles", "'" + name.substr(0, 64) + "' is no profile's name");
    } else if (name == "*" && names->size() != 1) {
      reader.Complain("profiles", "'*' means every profile and stands alone");
    } else if (!seen.insert(name).second) {
      reader.Complain("profiles", "'" + name + "' stands twice");
    }
  }
  source.profiles = Located<std::vector<std::string>>{*names, PositionOf(reader, "profiles")};
}

void ReadCeilings(JsonObjectReader& reader, TenantPolicySource& source) {
  const JsonValue* object = reader.Object("ceilings");
  if (object == nullptr) {
    return;
  }
  JsonObjectReader ceilings(*object, reader.file(), reader.KeyPath("ceilings"), reader.complaints());
  for (const std::string& name : LimitNames()) {
    const LimitId id = *FindLimit(name);
    if (const auto value = ceilings.Unsigned(name)) {
      if (*value < Minimum(id) || *value > AbsoluteMaximum(id)) {
        ceilings.Complain(name, Range(Minimum(id), AbsoluteMaximum(id)));
      }
      source.ceilings[id] = {*value, PositionOf(ceilings, name)};
    }
  }
  ceilings.Finish();
}

void ReadQuotas(JsonObjectReader& reader, TenantPolicySource& source) {
  const JsonValue* object = reader.Object("quotas");
  if (object == nullptr) {
    return;
  }
  JsonObjectReader quotas(*object, reader.file(), reader.KeyPath("quotas"), reader.complaints());
  for (const QuotaRange& quota : kQuotas) {
    if (const auto value = quotas.Unsigned(quota.name)) {
      if (*value < quota.least || *value > quota.most) {
        quotas.Complain(quota.name, Range(quota.least, quota.most));
      }
      source.quotas[quota.id] = {*value, PositionOf(quotas, quota.name)};
    }
  }
  quotas.Finish();
}

PolicyTest ReadTest(JsonObjectReader& reader, int line) {
  PolicyTest test;
  test.line = line;
  reader.Require("name");
  test.name = reader.String("name").value_or("");
  reader.Require("profile");
  test.profile = reader.String("profile").value_or("");
  if (const JsonValue* object = reader.Object("limits")) {
    JsonObjectReader limits(*object, reader.file(), reader.KeyPath("limits"), reader.complaints());
    for (const std::string& name : LimitNames()) {
      if (const auto value = limits.Unsigned(name)) {
        test.limits.emplace_back(*FindLimit(name), *value);
      }
    }
    limits.Finish();
  }
  const bool allowed = reader.Bool("allowed").value_or(false);
  test.refused_by = reader.String("refused_by").value_or("");
  if (reader.Has("allowed") == reader.Has("refused_by") || (reader.Has("allowed") && !allowed)) {
    reader.Complain("allowed", "a test says either \"allowed\": true or the rule it is \"refused_by\"");
  }
  reader.Finish();
  return test;
}

void ReadTests(JsonObjectReader& reader, TenantPolicySource& source) {
  const JsonValue* array = reader.Array("tests");
  if (array == nullptr) {
    return;
  }
  if (array->items.size() > kMostTests) {
    reader.Complain("tests", "are more than " + std::to_string(kMostTests));
    return;
  }
  for (const JsonValue& item : array->items) {
    const std::string path = reader.KeyPath("tests") + "[" + std::to_string(source.tests.size()) + "]";
    if (item.type != JsonValue::Type::kObject) {
      reader.complaints().push_back(Complaint(
          reader.file(), item.line, path, std::string("must be an object, not ") + TypeInWords(item.type)));
      return;
    }
    JsonObjectReader test(item, reader.file(), path, reader.complaints());
    source.tests.push_back(ReadTest(test, item.line));
  }
}

}  // namespace

std::string_view QuotaName(QuotaId id) { return kQuotas.at(static_cast<size_t>(id)).name; }

TenantPolicySource ParsePolicyText(const PolicyText& text, std::vector<std::string>& complaints) {
  TenantPolicySource source;
  source.name = text.name;
  source.file = text.file;
  const absl::StatusOr<JsonValue> document = ParseJson(text.text, text.file);
  if (!document.ok()) {
    complaints.push_back(Message(document.status()));
    return source;
  }
  JsonObjectReader reader(*document, text.file, "", complaints);
  reader.Any("$schema");  // for editors
  reader.Require("schema_version");
  if (reader.Unsigned("schema_version").value_or(kSchemaVersion) != kSchemaVersion) {
    reader.Complain("schema_version", "must be 1");
  }
  reader.Require("tenant");
  const std::string name = reader.String("tenant").value_or(text.name);
  if (!IsProfileName(name)) {  // the same closed alphabet
    reader.Complain(
        "tenant",
        "must be a lower-case letter and then lower-case letters, digits and '-', at most 63 bytes");
  } else if (name != text.name) {
    reader.Complain("tenant", "must be the file's name, '" + text.name.substr(0, 64) + "'");
  }
  if (const auto extends = reader.String("extends")) {
    source.extends = Located<std::string>{*extends, PositionOf(reader, "extends")};
  }
  source.abstract = reader.Bool("abstract").value_or(false);
  ReadProfiles(reader, source);
  ReadCeilings(reader, source);
  ReadQuotas(reader, source);
  if (const auto weight = reader.Unsigned("weight")) {
    if (*weight < 1 || *weight > kMostWeight) {
      reader.Complain("weight", Range(1, kMostWeight));
    }
    source.weight = Located<uint64_t>{*weight, PositionOf(reader, "weight")};
  }
  ReadTests(reader, source);
  reader.Finish();
  return source;
}

}  // namespace caisson::policy
