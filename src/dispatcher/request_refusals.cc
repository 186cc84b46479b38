#include "dispatcher/request_refusals.h"

#include "dispatcher/errors.h"
#include "policy/limits.h"

namespace caisson::dispatcher {

uint64_t CompileMemory(const policy::Profile& profile) {
  return profile.compile.has_value() ? profile.compile->limits.defaults.Get(policy::LimitId::kMemoryBytes)
                                     : 0;
}

grpc::Status RefuseUnknownProfile(const std::string& name, const ProfileCatalog& catalog) {
  return RefuseMissing(Reason::kProfileNotFound, "profile", name,
                       {{"nearest", catalog.Nearest(name.substr(0, 64))}});
}

grpc::Status CheckHost(const ValidRequest& valid, uint64_t memory_budget_bytes) {
  if (valid.memory_bytes <= memory_budget_bytes &&
      valid.bundle_bytes <= memory_budget_bytes - valid.memory_bytes) {
    return grpc::Status::OK;
  }
  const std::string host =
      "this host gives " + std::to_string(memory_budget_bytes) + " bytes to all runs together";
  const std::string with =
      valid.bundle_bytes == 0 ? "" : "with " + std::to_string(valid.bundle_bytes) + " bytes for files, ";
  const uint64_t compile_bytes = CompileMemory(valid.entry->profile);
  return RefuseFields(
      Reason::kLimitExceedsHost,
      {valid.limits.Get(policy::LimitId::kMemoryBytes) >= compile_bytes
           ? FieldViolation{"limits.memory_bytes", with + host}
           : FieldViolation{"profile", "its compile step has " + std::to_string(compile_bytes) + " bytes; " +
                                           with + host}});
}

grpc::Status RefuseMissingLibrary(const v1::ExecuteRequest& request, const CatalogEntry& entry) {
  for (const std::string& name : request.packages()) {
    if (const std::string& reason = entry.libraries.at(name); !reason.empty()) {
      return Refuse(Reason::kProfileUnavailable,
                    "library " + name + " of profile " + entry.profile.name + ": " + reason,
                    {{"profile", entry.profile.name}, {"package", entry.profile.packages.at(name).package}});
    }
  }
  return grpc::Status::OK;
}

}  // namespace caisson::dispatcher
