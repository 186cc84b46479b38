#include "policy/filter_cache.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "policy_support.h"

namespace caisson::policy {
namespace {

SyscallFilter Allowing(const std::string& name, const std::string& why) {
  SyscallRule rule;
  rule.syscall = name;
  rule.why = why;
  return {{rule}};
}

TEST(FilterCacheTest, SameRulesAreCompiledOnceWhateverTheirReasons) {
  FilterCache cache;
  const auto first = cache.Compile(Allowing("read", "input"));
  const auto second = cache.Compile(Allowing("read", "another reason"));
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_EQ(first->digest, second->digest);
  EXPECT_EQ(cache.size(), 1U);
}

TEST(FilterCacheTest, AnyDifferenceOfARuleIsAnotherFilter) {
  SyscallFilter refusing = Allowing("read", "");
  refusing.rules[0].action = SyscallAction::kErrno;
  refusing.rules[0].errno_value = 1;
  SyscallFilter refusing_otherwise = refusing;
  refusing_otherwise.rules[0].errno_value = 38;
  SyscallFilter conditional = Allowing("read", "");
  conditional.rules[0].conditions = {{0, 0xffffffffU, 1}};
  SyscallFilter conditional_otherwise = conditional;
  conditional_otherwise.rules[0].conditions[0].value = 2;
  const std::vector<SyscallFilter> filters = {
      Allowing("read", ""), Allowing("write", ""), refusing,
      refusing_otherwise,   conditional,           conditional_otherwise};
  FilterCache cache;
  for (const SyscallFilter& filter : filters) {
    const auto cached = cache.Compile(filter);
    const auto compiled = CompileFilter(filter);
    ASSERT_TRUE(cached.ok() && compiled.ok());
    EXPECT_EQ(cached->digest, compiled->digest);
    EXPECT_EQ(cached->deny_answers, compiled->deny_answers);
  }
  EXPECT_EQ(cache.size(), filters.size());
}

TEST(FilterCacheTest, FilterThatDoesNotCompileIsRefusedEachTime) {
  FilterCache cache;
  for (int time = 0; time < 2; ++time) {
    EXPECT_FALSE(cache.Compile(Allowing("no_such_call", "")).ok());
  }
  EXPECT_EQ(cache.size(), 0U);
}

TEST(FilterCacheTest, ShippedProfilesShareManyOfTheirFilters) {
  FilterCache cache;
  size_t steps = 0;
  for (const auto& [name, profile] : ShippedProfiles()) {
    ++steps;
    EXPECT_TRUE(cache.Compile(profile.run.filter).ok()) << name;
  }
  EXPECT_LT(cache.size(), steps);
}

}  // namespace
}  // namespace caisson::policy
