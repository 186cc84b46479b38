// Limit hints, libraries and variants: what profiles say and what is refused.
#include "policy/limit_hints.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "policy_support.h"

namespace caisson::policy {
namespace {

// A profile on base, with these keys in its step `run` and at its top.
std::string ProfileText(const std::string& run, const std::string& top = "") {
  return R"({"schema_version": 1, "name": "p", "extends": "base", "display_name": "P", "description": "d",
"default_main_file": "m",)" +
         top + R"("steps": {"run": {"command": ["/bin/p", "{main}"], "box_executable": true)" +
         (run.empty() ? "" : ",\n") + run + "}}}";
}

// Beside the shipped base and groups.
void Write(const TemporaryDirectory& directory, const std::string& name, const std::string& text) {
  for (const char* file : {"base.json", "syscall-groups.json"}) {
    std::filesystem::copy_file(std::string(CAISSON_PROFILES_DIR) + "/" + file, directory.path() + "/" + file,
                               std::filesystem::copy_options::skip_existing);
  }
  directory.Write(name, text);
}

Profile Loaded(const std::string& run, const std::string& top = "") {
  const TemporaryDirectory directory;
  Write(directory, "p.json", ProfileText(run, top));
  absl::StatusOr<ProfileSet> profiles = LoadProfiles(directory.path(), FileTrust::kAnyOwner);
  EXPECT_TRUE(profiles.ok()) << Message(profiles.status());
  return profiles.ok() ? profiles->at("p") : Profile();
}

std::string Refusal(const std::string& run, const std::string& top = "") {
  const TemporaryDirectory directory;
  Write(directory, "p.json", ProfileText(run, top));
  return LoadError(directory);
}

TEST(LimitHintsTest, AnArgumentAndAVariableAreReadWithTheirPlaceholders) {
  const std::vector<LimitHint> hints = Loaded(R"("limit_hints": [
    {"argument": "-Xmx{memory_mib}m", "percent": 70, "why": "w"},
    {"variable": "GOMAXPROCS", "value": "{cpus}", "why": "w"}])")
                                           .run.limit_hints;
  ASSERT_EQ(hints.size(), 2U);
  EXPECT_EQ(hints[0].variable + "|" + hints[0].before + "|" + hints[0].after, "|-Xmx|m");
  EXPECT_EQ(hints[0].unit, HintUnit::kMemoryMib);
  EXPECT_EQ(hints[0].percent, 70U);
  EXPECT_EQ(HintText(hints[0]), "-Xmx{memory_mib}m");
  EXPECT_EQ(hints[1].unit, HintUnit::kCpus);
  EXPECT_EQ(hints[1].percent, 100U);
  EXPECT_EQ(HintText(hints[1]), "GOMAXPROCS={cpus}");
}

TEST(LimitHintsTest, WhatCannotBeMeantIsRefused) {
  const auto hint = [](const std::string& keys) {
    return Refusal("\"limit_hints\": [{" + keys + ", \"why\": \"w\"}]");
  };
  EXPECT_EQ(hint(R"("argument": "-Xmx")"),
            "p.json:3: steps.run.limit_hints[0]: '-Xmx' must have {memory_mib} or {cpus}, once");
  EXPECT_NE(hint(R"("argument": "{cpus}{memory_mib}")").find("once"), std::string::npos);
  EXPECT_NE(hint(R"("argument": "{cpus}{cpus}")").find("once"), std::string::npos);
  EXPECT_NE(hint(R"("argument": "{cpus}", "percent": 50)").find("percent is for {memory_mib} only"),
            std::string::npos);
  for (const char* percent : {"0", "101", "4294967297"}) {
    EXPECT_NE(hint(R"("argument": "{memory_mib}", "percent": )" + std::string(percent))
                  .find("percent must be 1 to 100"),
              std::string::npos);
  }
  constexpr char kEither[] = "must have either argument, or variable and value";
  EXPECT_NE(hint(R"("argument": "{cpus}", "variable": "A", "value": "x")").find(kEither), std::string::npos);
  EXPECT_NE(hint(R"("variable": "A")").find(kEither), std::string::npos);
  EXPECT_NE(hint(R"("value": "{cpus}")").find(kEither), std::string::npos);
  EXPECT_NE(hint(R"("variable": "A-B", "value": "{cpus}")").find("'A-B' is no name of a variable"),
            std::string::npos);
  EXPECT_NE(hint(R"("variable": "PATH", "value": "{cpus}")").find("the variable PATH is set a second time"),
            std::string::npos);
  EXPECT_NE(hint("\"argument\": \"{cpus}" + std::string(200, 'x') + "\"").find("must be at most 200 bytes"),
            std::string::npos);
  EXPECT_NE(hint(R"("argument": "{cpus}\u0000")").find("NUL"), std::string::npos);
  EXPECT_NE(Refusal(R"("limit_hints": [{"argument": "{cpus}"}])").find("why: is missing"), std::string::npos);
}

TEST(LimitHintsTest, ThereAreAtMostEight) {
  std::string hints;
  for (int i = 0; i < 9; ++i) {
    hints += (i == 0 ? "" : ", ") + std::string(R"({"argument": "{cpus}", "why": "w"})");
  }
  EXPECT_NE(Refusal("\"limit_hints\": [" + hints + "]").find("more than 8 hints"), std::string::npos);
}

TEST(LimitHintsTest, AProgramOfTheClientsTakesNoArgumentHint) {
  const std::string text = ProfileText(R"("limit_hints": [{"argument": "{cpus}", "why": "w"}])");
  const TemporaryDirectory directory;
  const size_t command = text.find("\"/bin/p\", ");
  Write(directory, "p.json", text.substr(0, command) + text.substr(command + 10));
  EXPECT_NE(LoadError(directory).find("the command is {main}, which would take the argument for its own"),
            std::string::npos);
}

TEST(PackagesTest, EachNamesItsPackageAndItsProbe) {
  const Profile profile =
      Loaded("", R"("packages": {"numpy": {"package": "python3-numpy", "probe": "/usr/lib/numpy"}},)");
  ASSERT_EQ(profile.packages.size(), 1U);
  EXPECT_EQ(profile.packages.at("numpy").package, "python3-numpy");
  EXPECT_EQ(profile.packages.at("numpy").probe, "/usr/lib/numpy");
}

TEST(PackagesTest, IncompleteAndMisnamedOnesAreRefused) {
  EXPECT_NE(Refusal("", R"("packages": {"n": {"package": "p"}},)").find("packages.n.probe: is missing"),
            std::string::npos);
  EXPECT_NE(Refusal("", R"("packages": {"n": {"package": "p", "probe": "usr"}},)")
                .find("packages.n: probe must be an absolute path"),
            std::string::npos);
  EXPECT_NE(Refusal("", R"("packages": {"n m": {"package": "p", "probe": "/usr"}},)")
                .find("packages.n m: the name must be"),
            std::string::npos);
}

TEST(VariantsTest, AVariantNamesTheNearestListedProfileItExtends) {
  const TemporaryDirectory directory;
  Write(directory, "p.json", ProfileText(""));
  directory.Write("q.json", R"({"schema_version": 1, "name": "q", "extends": "p", "abstract": true})");
  directory.Write("r.json", R"({"schema_version": 1, "name": "r", "extends": "q"})");
  const absl::StatusOr<ProfileSet> profiles = LoadProfiles(directory.path(), FileTrust::kAnyOwner);
  ASSERT_TRUE(profiles.ok()) << Message(profiles.status());
  EXPECT_EQ(profiles->at("p").variant_of, "");
  EXPECT_EQ(profiles->at("r").variant_of, "p");
}

}  // namespace
}  // namespace caisson::policy
