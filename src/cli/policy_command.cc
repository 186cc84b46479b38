#include "cli/policy_command.h"

#include <vector>

#include "cli/exit_code.h"
#include "cli/streams.h"
#include "cli/text.h"
#include "common/status.h"
#include "policy/nearest.h"
#include "policy/tenant_policy.h"

namespace caisson::cli {
namespace {

int Fail(const absl::Status& status) {
  Complain(Message(status));
  // Complaints about the files' content are findings; everything else means that nothing was looked at.
  return absl::IsInvalidArgument(status) ? kExitFindings : kExitService;
}

absl::StatusOr<policy::TenantPolicies> Load(const PolicyOptions& options) {
  ASSIGN_OR_RETURN(const std::vector<policy::PolicyText> texts,
                   policy::ReadPolicyTexts(options.directory, policy::FileTrust::kAnyOwner));
  return policy::ParseTenantPolicies(texts);
}

void AddDirectory(CLI::App& command, PolicyOptions& options) {
  command.add_option("--dir", options.directory, "Directory of policy files")
      ->type_name("DIR")
      ->capture_default_str();
}

int Lint(const PolicyOptions& options) {
  const absl::StatusOr<policy::TenantPolicies> policies = Load(options);
  if (!policies.ok()) {
    return Fail(policies.status());
  }
  return Print(Printable(options.directory) + ": ok, " + std::to_string(policies->size()) + " tenants, " +
               policy::DigestOf(*policies) + "\n");
}

int Test(const PolicyOptions& options) {
  const absl::StatusOr<policy::TenantPolicies> policies = Load(options);
  if (!policies.ok()) {
    return Fail(policies.status());
  }
  size_t tests = 0;
  for (const auto& [name, policy] : *policies) {
    tests += policy.tests.size();
  }
  const std::vector<std::string> failed = policy::FailedPolicyTests(*policies);
  for (const std::string& complaint : failed) {
    Complain(Printable(complaint));
  }
  const int printed = Print(std::to_string(tests) + " tests, " + std::to_string(failed.size()) + " failed\n");
  return failed.empty() ? printed : kExitFindings;
}

int Explain(const PolicyOptions& options) {
  const absl::StatusOr<policy::TenantPolicies> policies = Load(options);
  if (!policies.ok()) {
    return Fail(policies.status());
  }
  std::string text;
  std::vector<std::string> known;
  for (const auto& [name, policy] : *policies) {
    known.push_back(name);
    if (options.tenant.empty() || options.tenant == name) {
      text += policy::ExplainPolicy(policy);
    }
  }
  if (text.empty() && !options.tenant.empty()) {
    return Fail(absl::NotFoundError("no policy is named '" + Printable(options.tenant) + "'" +
                                    policy::DidYouMean(known, options.tenant)));
  }
  return Print(text);
}

}  // namespace

CLI::App* AddPolicy(CLI::App& app, PolicyOptions& options) {
  CLI::App* group = app.add_subcommand("policy", "Check tenants' policies, and what they come to");
  group->require_subcommand(1);
  AddDirectory(*group->add_subcommand("lint", "Every fault of the files, with file, line and key"), options);
  AddDirectory(*group->add_subcommand("test", "Run the tests that stand in the files"), options);
  CLI::App* explain = group->add_subcommand("explain", "Every value of a policy, and the rule that set it");
  AddDirectory(*explain, options);
  explain->add_option("TENANT", options.tenant, "This tenant's only");
  return group;
}

int PolicyCommand(const CLI::App& group, const PolicyOptions& options) {
  if (group.got_subcommand("lint")) {
    return Lint(options);
  }
  return group.got_subcommand("test") ? Test(options) : Explain(options);
}

}  // namespace caisson::cli
