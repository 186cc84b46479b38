// Run by caissond as root. Input: root's files.
#include "orchestrator/tenant_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "common/memfd.h"
#include "common/status.h"
#include "ipc/codec.h"
#include "policy/json_document.h"
#include "policy/tenant_policy.h"
#include "policy/token_file.h"

namespace caisson::orchestrator {
namespace {

constexpr char kDefaultTenant[] = "default";
constexpr size_t kPieceBytes = 16UL * 1024;

// A caller without a policy would be refused whatever it asked for: better told now.
absl::Status CheckEveryTenantHasOne(const Config& config, const std::vector<policy::TokenEntry>& tokens,
                                    const policy::TenantPolicies& policies) {
  std::map<std::string, const char*> tenants;
  for (const policy::TokenEntry& token : tokens) {
    tenants[token.tenant] = "there is a token for this tenant";
  }
  for (const ListenerConfig& listener : config.listeners) {
    if (!listener.tenant.empty()) {
      tenants[listener.tenant] = "there is a socket for this tenant";
    }
  }
  tenants[kDefaultTenant] = "there is a socket for this tenant";
  std::vector<std::string> complaints;
  for (const auto& [tenant, why] : tenants) {
    if (!policies.contains(tenant)) {
      complaints.push_back(policy::Complaint(config.tenants_dir, 1, tenant + ".json",
                                             std::string("is missing, or abstract: ") + why));
    }
  }
  return policy::ComplaintsToStatus(complaints);
}

}  // namespace

absl::StatusOr<TenantFiles> TenantFiles::Load(const Config& config) {
  TenantFiles files;
  std::vector<policy::PolicyText> texts;
  files.summary_ = "no policies: every tenant may have what profiles allow";
  std::vector<policy::TokenEntry> tokens;
  std::optional<policy::PolicyText> token_text;
  if (!config.tokens_file.empty()) {
    ASSIGN_OR_RETURN(std::string text,
                     policy::ReadTokenText(config.tokens_file, policy::FileTrust::kRequireRootOwned));
    ASSIGN_OR_RETURN(tokens, policy::ParseTokens(text, config.tokens_file));
    token_text = policy::PolicyText{"tokens", config.tokens_file, std::move(text)};
  }
  if (!config.tenants_dir.empty()) {
    ASSIGN_OR_RETURN(texts,
                     policy::ReadPolicyTexts(config.tenants_dir, policy::FileTrust::kRequireRootOwned));
    ASSIGN_OR_RETURN(const policy::TenantPolicies policies, policy::ParseTenantPolicies(texts));
    RETURN_IF_ERROR(CheckEveryTenantHasOne(config, tokens, policies));
    files.summary_ = std::to_string(policies.size()) + " policies, " + policy::DigestOf(policies);
  }
  files.message_ = ipc::Make<ipc::Policy>();
  files.message_.files = static_cast<uint32_t>(texts.size());
  if (token_text.has_value()) {
    files.message_.tokens = 1;
    files.summary_ += "; " + std::to_string(tokens.size()) + " tokens";
    texts.push_back(*std::move(token_text));
  }
  const std::string packed = policy::PackPolicyTexts(texts);
  ASSIGN_OR_RETURN(files.packed_,
                   MakeSealedMemfd("caisson-policies", std::as_bytes(std::span(packed)), MemfdKind::kData));
  files.message_.bytes = packed.size();
  return files;
}

bool TenantFiles::SameAs(const TenantFiles& other) const {
  if (message_.bytes != other.message_.bytes || message_.files != other.message_.files ||
      message_.tokens != other.message_.tokens) {
    return false;
  }
  std::array<std::array<char, kPieceBytes>, 2> pieces;
  for (uint64_t at = 0; at < message_.bytes;) {
    const auto offset = static_cast<off_t>(at);
    const ssize_t ours = pread(packed_.get(), pieces[0].data(), kPieceBytes, offset);
    const ssize_t theirs = pread(other.packed_.get(), pieces[1].data(), kPieceBytes, offset);
    if (ours <= 0 || ours != theirs ||
        !std::equal(pieces[0].begin(), pieces[0].begin() + ours, pieces[1].begin())) {
      return false;
    }
    at += static_cast<uint64_t>(ours);
  }
  return true;
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
