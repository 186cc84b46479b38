#include "dispatcher/tenancy/policy_book.h"

#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <span>
#include <vector>

#include "common/memfd.h"
#include "common/status.h"
#include "dispatcher/file_digest.h"

namespace caisson::dispatcher {

PolicyState::PolicyState(const policy::TenantPolicies& policies)
    : configured_(true), digest_(policy::DigestOf(policies)) {
  for (const auto& [name, policy] : policies) {
    policies_.emplace(name, std::make_shared<const policy::TenantPolicy>(policy));
  }
}

PolicyState::PolicyState(const policy::TenantPolicies& policies, TokenTable tokens) : PolicyState(policies) {
  tokens_ = std::move(tokens);
}

std::shared_ptr<const policy::TenantPolicy> PolicyState::Of(const TenantId& tenant) const {
  if (const auto found = policies_.find(tenant.name()); found != policies_.end()) {
    return found->second;
  }
  return configured_ ? nullptr
                     : std::make_shared<const policy::TenantPolicy>(policy::UnboundedPolicy(tenant.name()));
}

std::shared_ptr<const PolicyState> PolicyBook::Now() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

void PolicyBook::Set(std::shared_ptr<const PolicyState> state) {
  const std::lock_guard lock(mutex_);
  state_ = std::move(state);
  last_failed_ = false;
}

void PolicyBook::NoteFailure() {
  const std::lock_guard lock(mutex_);
  last_failed_ = true;
}

bool PolicyBook::last_failed() const {
  const std::lock_guard lock(mutex_);
  return last_failed_;
}

absl::StatusOr<std::shared_ptr<const PolicyState>> ReadPolicies(const ipc::Policy& message,
                                                                const UniqueFd& packed) {
  RETURN_IF_ERROR(CheckSealedMemfd(packed.get(), policy::kMostPackedPolicyBytes));
  if (message.bytes > policy::kMostPackedPolicyBytes) {
    return absl::InvalidArgumentError("POLICY: bytes is out of range");
  }
  std::string text(message.bytes, '\0');
  size_t done = 0;
  while (done < text.size()) {
    const ssize_t count = pread(packed.get(), &text[done], text.size() - done, static_cast<off_t>(done));
    if (count <= 0) {
      return ErrnoStatus(count < 0 ? errno : EIO, "read the policies");
    }
    done += static_cast<size_t>(count);
  }
  ASSIGN_OR_RETURN(std::vector<policy::PolicyText> texts, policy::UnpackPolicyTexts(text));
  if (texts.size() != uint64_t{message.files} + message.tokens) {
    return absl::InvalidArgumentError("POLICY: files is not their number");
  }
  TokenTable tokens;
  if (message.tokens != 0) {
    ASSIGN_OR_RETURN(const std::vector<policy::TokenEntry> entries,
                     policy::ParseTokens(texts.back().text, texts.back().file));
    FileDigest digest;
    digest.Add(std::as_bytes(std::span(texts.back().text)));
    tokens = TokenTable(entries, digest.Finish());
    texts.pop_back();
  }
  if (message.files == 0) {
    return std::make_shared<const PolicyState>(std::move(tokens));
  }
  ASSIGN_OR_RETURN(const policy::TenantPolicies policies, policy::ParseTenantPolicies(texts));
  return std::make_shared<const PolicyState>(policies, std::move(tokens));
}

}  // namespace caisson::dispatcher
