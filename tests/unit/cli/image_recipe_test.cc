#include "cli/image_recipe.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/status.h"

namespace caisson::cli {
namespace {

using nlohmann::json;
using Words = std::vector<std::string>;

ImageRecipe Recipe() {
  ImageRecipe recipe;
  recipe.profile = "python";
  recipe.debian = {"python3", "python3-numpy"};
  recipe.mounts = {"/etc/alternatives", "/usr"};
  recipe.suite = "bookworm";
  recipe.apt_sources = {"/etc/apt/sources.list.d/debian.sources"};
  return recipe;
}

bool Holds(const Words& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

TEST(PackageListTest, ListsAreSplitAndEachNameTakenOnce) {
  EXPECT_EQ(ReadPackageList({"python3-numpy,g++", "libc6-dev", "g++"}, PackageKind::kDebian).value(),
            (Words{"python3-numpy", "g++", "libc6-dev"}));
  EXPECT_EQ(ReadPackageList({"numpy==1.24.2,Pillow", "zope.interface"}, PackageKind::kPip).value(),
            (Words{"numpy==1.24.2", "Pillow", "zope.interface"}));
  EXPECT_EQ(ReadPackageList({"@types/node@20.1.0,lodash", "left-pad@1.3.0"}, PackageKind::kNpm).value(),
            (Words{"@types/node@20.1.0", "lodash", "left-pad@1.3.0"}));
  EXPECT_TRUE(ReadPackageList({}, PackageKind::kPip).value().empty());
}

TEST(PackageListTest, WhatIsNoNameOfARegistryIsRefused) {
  for (const char* text : {"", "a,", ",a", "-e", "--hook=id", "./x.deb", "a b", "numpy-", "?essential"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ReadPackageList({text}, PackageKind::kDebian).status())) << text;
  }
  for (const char* text :
       {"", "--index-url=http://x", "-r", "./numpy", "/tmp/x.whl", "git+https://x/y", "numpy @ file:///x",
        "numpy==", "==1", "numpy>=1", "numpy==1==2", "http://x/y.whl", "numpy[all]", "..", ".x"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ReadPackageList({text}, PackageKind::kPip).status())) << text;
  }
  for (const char* text : {"", "--prefix", "./x", "../x", "file:x", "git+ssh://x", "user/repo", "@/x", "@a/",
                           "@a", "a@", "@a/../b", "x@npm:y", "x@file:y", "x@http://y", "a@1@2", "@a/b/c"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ReadPackageList({text}, PackageKind::kNpm).status())) << text;
  }
}

TEST(MountSourcesTest, AreThoseOfEveryStepOnceEach) {
  policy::Profile profile;
  profile.run.binds = {{"/usr", "", true, false, ""}, {"/etc/php", "/etc/p", true, true, ""}};
  profile.compile.emplace().binds = {{"/usr", "", true, false, ""},
                                     {"/etc/alternatives", "", false, true, ""}};
  EXPECT_EQ(MountSources(profile), (Words{"/etc/alternatives", "/etc/php", "/usr"}));
}

TEST(ImageCommandsTest, DebianPackagesComeFromTheHostsSourcesOnly) {
  const Words command = DebianCommand(Recipe(), "/made/root");
  EXPECT_EQ(command.front(), "/usr/bin/mmdebstrap");
  EXPECT_TRUE(Holds(command, "--include=python3,python3-numpy"));
  const Words end(command.end() - 3, command.end());
  EXPECT_EQ(end, (Words{"bookworm", "/made/root", "/etc/apt/sources.list.d/debian.sources"}));
}

TEST(ImageCommandsTest, NothingOfPipAndNpmIsExecuted) {
  ImageRecipe recipe = Recipe();
  recipe.pip = {"numpy==1.24.2"};
  recipe.npm = {"lodash"};
  const Words pip = PipCommand(recipe, "/t");
  EXPECT_TRUE(Holds(pip, "--only-binary=:all:"));
  EXPECT_EQ(Words(pip.end() - 3, pip.end()), (Words{"--target=/t", "--", "numpy==1.24.2"}));
  const Words npm = NpmCommand(recipe, "/p");
  EXPECT_TRUE(Holds(npm, "--ignore-scripts"));
  EXPECT_EQ(Words(npm.end() - 2, npm.end()), (Words{"--", "lodash"}));
}

TEST(ImageCommandsTest, WhatIsPackedIsRootsAndHasNoAttributes) {
  const Words squashfs = PackCommand(policy::ImageFormat::kSquashfs, "/t", "/f");
  EXPECT_TRUE(Holds(squashfs, "-all-root") && Holds(squashfs, "-no-xattrs"));
  const Words erofs = PackCommand(policy::ImageFormat::kErofs, "/t", "/f");
  EXPECT_TRUE(Holds(erofs, "--all-root") && Holds(erofs, "-x-1"));
}

TEST(PackageLinesTest, VersionsByName) {
  using Map = std::map<std::string, std::string>;
  EXPECT_EQ(ParsePackageLines("libc6 2.36-9\npython3 3.11.2-1+b1\n", " "),
            (Map{{"libc6", "2.36-9"}, {"python3", "3.11.2-1+b1"}}));
  EXPECT_EQ(ParsePackageLines("numpy==1.24.2\nrubbish\n==1\n", "=="), (Map{{"numpy", "1.24.2"}}));
  EXPECT_EQ(ParseNpmList("/p/lib\n/p/lib/node_modules/lodash:lodash@4.17.21\n"
                         "/p/lib/node_modules/@a/b:@a/b@1.0.0:extraneous\n"),
            (Map{{"lodash", "4.17.21"}, {"@a/b", "1.0.0"}}));
}

TEST(ManifestTest, TellsWhatIsInsideAndHowItWasMade) {
  ImageRecipe recipe = Recipe();
  recipe.pip = {"pillow"};
  const ImagePackages packages{{{"python3", "3.11.2-1+b1"}}, {{"pillow", "9.0"}}, {}};
  const json manifest =
      json::parse(ManifestText(recipe, packages, {"sha256:ab", 4096, "2026-01-02T03:04:05Z", "caisson 1"}));
  EXPECT_EQ(manifest["digest"], "sha256:ab");
  EXPECT_EQ(manifest["bytes"], 4096);
  EXPECT_EQ(manifest["format"], "squashfs");
  EXPECT_EQ(manifest["packages"]["debian"]["python3"], "3.11.2-1+b1");
  EXPECT_EQ(manifest["packages"]["pip"]["pillow"], "9.0");
  EXPECT_TRUE(manifest["packages"]["npm"].is_object() && manifest["packages"]["npm"].empty());
  EXPECT_EQ(manifest["made"]["asked_for"]["debian"], json({"python3", "python3-numpy"}));
  EXPECT_EQ(manifest["made"]["at"], "2026-01-02T03:04:05Z");
  EXPECT_EQ(manifest["holds"], json({"/etc/alternatives", "/usr"}));
}

TEST(ProfileTextTest, ExtendsWhatTheImageIsFor) {
  ImageRecipe recipe = Recipe();
  const json profile = json::parse(ProfileText(recipe, "python-numpy", "/i/x.squashfs", "sha256:ab"));
  EXPECT_EQ(profile["name"], "python-numpy");
  EXPECT_EQ(profile["extends"], "python");
  EXPECT_EQ(profile["root"], json({{"image", "/i/x.squashfs"}, {"digest", "sha256:ab"}}));
  EXPECT_FALSE(profile.contains("steps"));
  recipe.npm = {"lodash"};
  const json node = json::parse(ProfileText(recipe, "n", "/i", "sha256:ab"));
  EXPECT_EQ(node["steps"]["all"]["symlinks"][0]["target"], "usr/local/lib/node_modules");
}

}  // namespace
}  // namespace caisson::cli
