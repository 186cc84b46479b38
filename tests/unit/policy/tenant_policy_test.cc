#include "policy/tenant_policy.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "common/status.h"

namespace caisson::policy {
namespace {

PolicyText Text(const std::string& name, const std::string& members) {
  return {name, name + ".json", "{\"schema_version\": 1, \"tenant\": \"" + name + "\",\n" + members + "}"};
}

std::string ErrorOf(const std::vector<PolicyText>& texts) {
  const absl::StatusOr<TenantPolicies> policies = ParseTenantPolicies(texts);
  return policies.ok() ? std::string() : Message(policies.status());
}

TEST(TenantPolicyTest, ValuesComeFromTheFileThatSaysThemLast) {
  const absl::StatusOr<TenantPolicies> policies = ParseTenantPolicies(
      {Text("base",
            R"("abstract": true, "profiles": ["python"], "ceilings": {"pids": 10, "memory_bytes": 8388608},
                       "quotas": {"concurrent_runs": 4})"),
       Text("web", R"("extends": "base", "ceilings": {"pids": 5}, "weight": 3)")});
  ASSERT_TRUE(policies.ok()) << Message(policies.status());
  ASSERT_EQ(policies->size(), 1U);  // the abstract one is no tenant's
  const TenantPolicy& web = policies->at("web");
  EXPECT_EQ(web.Ceiling(LimitId::kPids)->value, 5U);
  EXPECT_EQ(web.Ceiling(LimitId::kPids)->rule, "web/ceilings.pids");
  EXPECT_EQ(web.Ceiling(LimitId::kMemoryBytes)->rule, "base/ceilings.memory_bytes");
  EXPECT_EQ(web.Ceiling(LimitId::kWallTimeMs), nullptr);
  EXPECT_EQ(web.Quota(QuotaId::kConcurrentRuns)->rule, "base/quotas.concurrent_runs");
  EXPECT_EQ(web.weight.value, 3U);
  EXPECT_TRUE(web.AllowsProfile("python"));
  EXPECT_FALSE(web.AllowsProfile("node"));
  EXPECT_EQ(web.profiles_rule, "base/profiles");
}

TEST(TenantPolicyTest, FaultsNameFileLineKeyAndReason) {
  const std::string all = "\"profiles\": [\"*\"],\n";
  const std::vector<std::pair<std::string, std::string>> cases = {
      {all + "\"quotas\": {\"concurrent_runs\": -1}",
       "a.json:3: quotas.concurrent_runs: must be a whole number, not a negative number"},
      {all + "\"quotas\": {\"concurrent_runs\": 0}",
       "a.json:3: quotas.concurrent_runs: must be from 1 to 1000000"},
      {all + "\"quotas\": {\"concurent_runs\": 1}",
       "a.json:3: quotas.concurent_runs: unknown key; did you mean 'concurrent_runs'?"},
      {all + "\"ceilings\": {\"memory_bytes\": 1}",
       "a.json:3: ceilings.memory_bytes: must be from 4194304 to 1125899906842624"},
      {all + "\"ceilings\": {\"bytes\": 1}", "a.json:3: ceilings.bytes: unknown key"},
      {all + "\"weight\": 0", "a.json:3: weight: must be from 1 to 1000"},
      {all + "\"weight\": 1,\n\"weight\": 2", "a.json:4: duplicate key 'weight'"},
      {all + "\"quotas\": {\"request_burst\": 5}",
       "a.json:1: quotas.request_burst: means nothing without requests_per_second"},
      {all + "\"extends\": \"b\"", "a.json:3: extends: no policy 'b'"},
      {all + "\"extends\": \"a\"", "a.json:3: extends: the policies extend each other in a circle"},
      {"\"weight\": 1", "a.json:1: profiles: is missing, here and in what it extends; [\"*\"] is every one"},
      {"\"profiles\": []", "a.json:2: profiles: must have from 1 to 256 names"},
      {"\"profiles\": [\"*\", \"python\"]", "a.json:2: profiles: '*' means every profile and stands alone"},
      {"\"profiles\": [\"Python\"]", "a.json:2: profiles: 'Python' is no profile's name"},
      {"\"profiles\": [\"c\", \"c\"]", "a.json:2: profiles: 'c' stands twice"},
      {all + "\"tests\": [{\"name\": \"t\", \"profile\": \"c\"}]",
       "a.json:3: tests[0].allowed: a test says either \"allowed\": true or the rule it is \"refused_by\""},
      {all + "\"tests\": [1]", "a.json:3: tests[0]: must be an object, not a whole number"},
  };
  for (const auto& [members, error] : cases) {
    EXPECT_EQ(ErrorOf({Text("a", members)}).substr(0, error.size()), error) << members;
  }
  EXPECT_EQ(ErrorOf({{"a", "a.json", "{\"schema_version\": 2, \"tenant\": \"a\", \"profiles\": [\"*\"]}"}}),
            "a.json:1: schema_version: must be 1");
  EXPECT_EQ(ErrorOf({{"a", "a.json", "{\"schema_version\": 1, \"tenant\": \"b\", \"profiles\": [\"*\"]}"}}),
            "a.json:1: tenant: must be the file's name, 'a'");
  EXPECT_NE(ErrorOf({{"A", "A.json", "{\"schema_version\": 1, \"tenant\": \"A\", \"profiles\": [\"*\"]}"}}),
            "");
}

TEST(TenantPolicyTest, CirclesAndLongChainsAreRefused) {
  EXPECT_NE(ErrorOf({Text("a", "\"extends\": \"b\""), Text("b", "\"extends\": \"c\""),
                     Text("c", "\"extends\": \"a\"")})
                .find("c.json:2: extends: the policies extend each other in a circle"),
            std::string::npos);
  std::vector<PolicyText> chain = {Text("p0", "\"profiles\": [\"*\"]")};
  for (int i = 1; i < 9; ++i) {
    chain.push_back(Text("p" + std::to_string(i), "\"extends\": \"p" + std::to_string(i - 1) + "\""));
  }
  EXPECT_EQ(ErrorOf(chain), "p1.json:2: extends: more than 8 policies in a chain");
  chain.pop_back();
  EXPECT_EQ(ErrorOf(chain), "");
}

TEST(TenantPolicyTest, RequestsAreJudgedByProfileAndCeilings) {
  const TenantPolicies policies =
      *ParseTenantPolicies({Text("a", R"("profiles": ["python"], "ceilings": {"pids": 10})")});
  const TenantPolicy& policy = policies.at("a");
  EXPECT_TRUE(Judge(policy, "python", {{LimitId::kPids, 10}, {LimitId::kWallTimeMs, 99'999}}).allowed);
  const PolicyVerdict profile = Judge(policy, "node", {});
  EXPECT_FALSE(profile.allowed);
  EXPECT_EQ(profile.rule, "a/profiles");
  const PolicyVerdict limit = Judge(policy, "python", {{LimitId::kPids, 11}});
  EXPECT_FALSE(limit.allowed);
  EXPECT_EQ(limit.rule, "a/ceilings.pids");
  EXPECT_EQ(limit.limit, LimitId::kPids);
  EXPECT_EQ(limit.ceiling, 10U);
}

TEST(TenantPolicyTest, ADefaultAboveACeilingComesDownToIt) {
  const TenantPolicies policies = *ParseTenantPolicies(
      {Text("a", R"("profiles": ["*"], "ceilings": {"pids": 10, "wall_time_ms": 604800000})")});
  const LimitRange standard = StandardRunLimits();
  const LimitRange within = policies.at("a").Within(standard);
  EXPECT_EQ(within.defaults.Get(LimitId::kPids), 10U);
  EXPECT_EQ(within.ceilings.Get(LimitId::kPids), 10U);
  // A policy cannot give more than a profile.
  EXPECT_EQ(within.ceilings.Get(LimitId::kWallTimeMs), standard.ceilings.Get(LimitId::kWallTimeMs));
}

TEST(TenantPolicyTest, TheDigestIsOfWhatHoldsAndNothingElse) {
  const auto digest = [](const std::string& members) {
    return ParseTenantPolicies({Text("a", members)})->at("a").digest;
  };
  const std::string one = digest(R"("profiles": ["c", "python"], "weight": 2)");
  EXPECT_EQ(one.size(), 7U + 64U);
  EXPECT_EQ(one, digest(R"("weight": 2, "profiles": ["python", "c"])"));
  EXPECT_EQ(one, digest(R"("profiles": ["c", "python"], "weight": 2,
                           "tests": [{"name": "t", "profile": "c", "allowed": true}])"));
  EXPECT_NE(one, digest(R"("profiles": ["c", "python"], "weight": 3)"));
  EXPECT_NE(one, digest(R"("profiles": ["c"], "weight": 2)"));
  EXPECT_NE(one, UnboundedPolicy("a").digest);
}

TEST(TenantPolicyTest, TestsBesideAPolicyTellWhatFails) {
  const TenantPolicies policies = *ParseTenantPolicies({Text("a", R"("profiles": ["python"], "tests": [
    {"name": "fine", "profile": "python", "allowed": true},
    {"name": "wrong", "profile": "node", "allowed": true},
    {"name": "right", "profile": "node", "refused_by": "a/profiles"}])")});
  EXPECT_EQ(FailedPolicyTests(policies),
            (std::vector<std::string>{"a.json:4: tests[1]: 'wrong': is refused by a/profiles, not allowed"}));
}

TEST(TenantPolicyTest, ExplainNamesEveryValueAndItsRule) {
  const TenantPolicies policies =
      *ParseTenantPolicies({Text("a", R"("profiles": ["*"], "quotas": {"queue_length": 7})")});
  EXPECT_EQ(ExplainPolicy(policies.at("a")), "tenant a, " + policies.at("a").digest +
                                                 "\n  profiles = *  (a/profiles)\n"
                                                 "  quotas.queue_length = 7  (a/quotas.queue_length)\n"
                                                 "  weight = 1  (nobody says otherwise)\n");
}

TEST(TenantPolicyTest, TextsCrossTheBoundaryUnchanged) {
  const std::vector<PolicyText> texts = {Text("a", "\"profiles\": [\"*\"]"),
                                         {"b", "/etc/b \"x\".json", "{}\n\t\\"}};
  const absl::StatusOr<std::vector<PolicyText>> unpacked = UnpackPolicyTexts(PackPolicyTexts(texts));
  ASSERT_TRUE(unpacked.ok());
  ASSERT_EQ(unpacked->size(), 2U);
  for (size_t i = 0; i < texts.size(); ++i) {
    EXPECT_EQ((*unpacked)[i].name, texts[i].name);
    EXPECT_EQ((*unpacked)[i].file, texts[i].file);
    EXPECT_EQ((*unpacked)[i].text, texts[i].text);
  }
  for (const char* bad : {"", "{}", "[1]", "[[\"a\"]]", "[[1, 2, 3]]"}) {
    EXPECT_FALSE(UnpackPolicyTexts(bad).ok()) << bad;
  }
  EXPECT_TRUE(UnpackPolicyTexts("[]")->empty());
}

TEST(TenantPolicyTest, TheExamplesAreWellFormedAndPassTheirTests) {
  const absl::StatusOr<std::vector<PolicyText>> texts =
      ReadPolicyTexts(CAISSON_EXAMPLE_POLICIES_DIR, FileTrust::kAnyOwner);
  ASSERT_TRUE(texts.ok()) << Message(texts.status());
  const absl::StatusOr<TenantPolicies> policies = ParseTenantPolicies(*texts);
  ASSERT_TRUE(policies.ok()) << Message(policies.status());
  EXPECT_FALSE(policies->at("web").tests.empty());
  EXPECT_EQ(FailedPolicyTests(*policies), std::vector<std::string>());
}

TEST(TenantPolicyTest, WithoutFilesATenantMayHaveWhatProfilesAllow) {
  EXPECT_TRUE(Judge(UnboundedPolicy("a"), "anything", {{LimitId::kPids, 1'000'000}}).allowed);
}

}  // namespace
}  // namespace caisson::policy
