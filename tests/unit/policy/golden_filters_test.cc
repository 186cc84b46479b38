// Each step of each shipped profile against its table in tests/golden/filters/: a change of what a filter
// answers is seen as a change of a line. CAISSON_UPDATE_GOLDEN=1 writes the tables anew.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>

#include "filter_support.h"
#include "filter_table.h"
#include "policy_support.h"

namespace caisson::policy {
namespace {

bool SameFilters(const Profile& left, const Profile& right) {
  const auto digest = [](const std::optional<StepSection>& step) {
    return step ? Compiled(step->filter).digest : decltype(CompiledFilter::digest){};
  };
  return digest(left.run) == digest(right.run) && digest(left.compile) == digest(right.compile);
}

// {"python.run": its table}. A variant with the filters of the profile it is a variant of has no tables of
// its own.
std::map<std::string, std::string> Tables() {
  std::map<std::string, std::string> tables;
  const ProfileSet profiles = ShippedProfiles();
  for (const auto& [name, profile] : profiles) {
    if (!profile.variant_of.empty() && SameFilters(profile, profiles.at(profile.variant_of))) {
      continue;
    }
    const auto add = [&tables, &name = name](const std::string& step, const SyscallFilter& filter) {
      std::string key = name;
      key += "." + step;
      tables[key] = FilterTable("profile " + name + ", step " + step, filter, Compiled(filter));
    };
    add("run", profile.run.filter);
    if (profile.compile) {
      add("compile", profile.compile->filter);
    }
  }
  return tables;
}

std::string Read(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

// Lines that are in `left` and not in `right`.
std::string Missing(const std::string& left, const std::string& right, const std::string& sign) {
  std::istringstream lines(left);
  std::string missing;
  const std::string there = "\n" + right;
  for (std::string line; std::getline(lines, line);) {
    if (there.find("\n" + line + "\n") == std::string::npos) {
      missing.append(sign).append(line).append("\n");
    }
  }
  return missing;
}

TEST(GoldenFiltersTest, EveryFilterAnswersAsItsTableSays) {
  const std::filesystem::path directory(CAISSON_GOLDEN_FILTERS_DIR);
  const char* update = std::getenv("CAISSON_UPDATE_GOLDEN");
  const std::map<std::string, std::string> tables = Tables();
  ASSERT_GE(tables.size(), 2U);
  for (const auto& [name, table] : tables) {
    const std::filesystem::path file = directory / (name + ".txt");
    if (update != nullptr && std::string(update) == "1") {
      std::ofstream(file, std::ios::binary | std::ios::trunc) << table;
    }
    const std::string golden = Read(file);
    EXPECT_TRUE(golden == table) << file << ":\n"
                                 << Missing(golden, table, "- ") << Missing(table, golden, "+ ");
  }
}

TEST(GoldenFiltersTest, NoTableIsLeftOfAFilterThatIsGone) {
  const std::map<std::string, std::string> tables = Tables();
  for (const auto& entry : std::filesystem::directory_iterator(CAISSON_GOLDEN_FILTERS_DIR)) {
    const std::string name = entry.path().stem().string();
    EXPECT_TRUE(tables.contains(name)) << entry.path();
  }
}

// The table is asked of the program: another program, another table.
TEST(GoldenFiltersTest, AFilterThatSaysOtherThanItsRulesHasAnotherTable) {
  SyscallFilter rules;
  rules.rules = {{"getpid", SyscallAction::kAllow, 0, {}, "test"},
                 {"socket", SyscallAction::kAllow, 0, {{0, 0xffffffffU, 1}}, "test"},
                 {"ptrace", SyscallAction::kKill, 0, {}, "test"},
                 {"clone3", SyscallAction::kErrno, 38, {}, "test"}};
  const std::string table = FilterTable("t", rules, Compiled(rules));
  const std::string padding(20, ' ');
  EXPECT_NE(table.find("39 getpid" + padding + " allowed\n"), std::string::npos) << table;
  EXPECT_NE(table.find(" allowed if arg0 == 0x1; otherwise EPERM, reported\n"), std::string::npos);
  EXPECT_NE(table.find("101 ptrace" + padding + " ends the run\n"), std::string::npos);
  EXPECT_NE(table.find("435 clone3" + padding + " ENOSYS\n"), std::string::npos);
  EXPECT_NE(table.find("0-600 i386"), std::string::npos);
  EXPECT_NE(FilterTable("t", rules, Compiled({})), table);
}

}  // namespace
}  // namespace caisson::policy
