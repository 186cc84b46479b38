// Run by caissond as root. Input: root's files.
#include "orchestrator/tenant_files.h"

#include <fcntl.h>

#include <cerrno>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "common/memfd.h"
#include "common/status.h"
#include "ipc/codec.h"
#include "policy/json_document.h"
#include "policy/tenant_policy.h"

namespace caisson::orchestrator {
namespace {

constexpr char kDefaultTenant[] = "default";

// A caller without a policy would be refused whatever it asked for: better told now.
absl::Status CheckEveryTenantHasOne(const Config& config, const policy::TenantPolicies& policies) {
  std::set<std::string> tenants = {kDefaultTenant};
  for (const ListenerConfig& listener : config.listeners) {
    if (!listener.tenant.empty()) {
      tenants.insert(listener.tenant);
    }
  }
  std::vector<std::string> complaints;
  for (const std::string& tenant : tenants) {
    if (!policies.contains(tenant)) {
      complaints.push_back(policy::Complaint(config.tenants_dir, 1, tenant + ".json",
                                             "is missing, or abstract: there is a socket for this tenant"));
    }
  }
  return policy::ComplaintsToStatus(complaints);
}

}  // namespace

absl::StatusOr<TenantFiles> TenantFiles::Load(const Config& config) {
  TenantFiles files;
  std::vector<policy::PolicyText> texts;
  files.summary_ = "no policies: every tenant may have what profiles allow";
  if (!config.tenants_dir.empty()) {
    ASSIGN_OR_RETURN(texts,
                     policy::ReadPolicyTexts(config.tenants_dir, policy::FileTrust::kRequireRootOwned));
    ASSIGN_OR_RETURN(const policy::TenantPolicies policies, policy::ParseTenantPolicies(texts));
    RETURN_IF_ERROR(CheckEveryTenantHasOne(config, policies));
    files.summary_ = std::to_string(policies.size()) + " policies, " + policy::DigestOf(policies);
  }
  const std::string packed = policy::PackPolicyTexts(texts);
  ASSIGN_OR_RETURN(files.packed_,
                   MakeSealedMemfd("caisson-policies", std::as_bytes(std::span(packed)), MemfdKind::kData));
  files.message_ = ipc::Make<ipc::Policy>();
  files.message_.bytes = packed.size();
  files.message_.files = static_cast<uint32_t>(texts.size());
  return files;
}

absl::StatusOr<DispatcherLink::Handed> TenantFiles::ForDispatcher() const {
  DispatcherLink::Handed handed{message_, {}};
  UniqueFd copy(fcntl(packed_.get(), F_DUPFD_CLOEXEC, 0));
  if (!copy.valid()) {
    return ErrnoStatus(errno, "duplicate the policies");
  }
  handed.fds.push_back(std::move(copy));
  return handed;
}

}  // namespace caisson::orchestrator
