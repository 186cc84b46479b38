// What a directory must be to be served as the playground, and what is found in it.
#include "gateway/page_files.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace caisson::gateway {
namespace {

namespace fs = std::filesystem;

class PageFilesTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "page_files_XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    directory_ = name;
    Write("index.html", "<!doctype html>");
    Write("assets/main-1a.js", "1;");
  }
  void TearDown() override { fs::remove_all(directory_); }

  void Write(const std::string& name, const std::string& text) const {
    fs::create_directories((directory_ / name).parent_path());
    std::ofstream(directory_ / name) << text;
  }
  std::string WhyNot() const {
    const auto page = PageFiles::Load(directory_.string());
    return page.ok() ? "" : std::string(page.status().message());
  }

  fs::path directory_;
};

TEST_F(PageFilesTest, FilesAreFoundByTheirPathAndNothingElseIs) {
  const auto page = PageFiles::Load(directory_.string());
  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_NE(page->Find("/"), nullptr);
  EXPECT_EQ(page->Find("/")->body, "<!doctype html>");
  EXPECT_EQ(page->Find("/?x=1"), page->Find("/index.html"));
  ASSERT_NE(page->Find("/assets/main-1a.js"), nullptr);
  EXPECT_STREQ(page->Find("/assets/main-1a.js")->content_type, "text/javascript; charset=utf-8");
  for (const char* path : {"", "index.html", "//index.html", "/assets", "/assets/", "/assets/../index.html",
                           "/%69ndex.html", "/INDEX.HTML", "/etc/passwd"}) {
    EXPECT_EQ(page->Find(path), nullptr) << path;
  }
  EXPECT_EQ(PageFiles().Find("/"), nullptr);
}

TEST_F(PageFilesTest, OnlyWhatIsNamedByItsContentMayBeKept) {
  const auto page = PageFiles::Load(directory_.string());
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_STREQ(page->Find("/")->cache_control, "no-cache");
  EXPECT_STREQ(page->Find("/assets/main-1a.js")->cache_control, "public, max-age=31536000, immutable");
}

TEST_F(PageFilesTest, ALinkIsRefused) {
  fs::create_symlink("/etc/passwd", directory_ / "passwd.html");
  EXPECT_NE(WhyNot().find("passwd.html is none of the files"), std::string::npos) << WhyNot();
}

TEST_F(PageFilesTest, AnotherKindOfFileIsRefused) {
  Write("key.pem", "secret");
  EXPECT_NE(WhyNot().find("key.pem is none of the files"), std::string::npos) << WhyNot();
}

TEST_F(PageFilesTest, AStrangeNameIsRefused) {
  Write("a b.html", "");
  EXPECT_NE(WhyNot().find("a b.html is none of the files"), std::string::npos) << WhyNot();
}

TEST_F(PageFilesTest, ADirectoryWithoutAPageIsRefused) {
  fs::remove(directory_ / "index.html");
  EXPECT_NE(WhyNot().find("there is no index.html"), std::string::npos) << WhyNot();
  fs::remove_all(directory_);
  EXPECT_NE(WhyNot().find("No such file or directory"), std::string::npos) << WhyNot();
}

TEST_F(PageFilesTest, TooMuchIsRefused) {
  fs::resize_file(directory_ / "index.html", (size_t{32} << 20U) + 1);
  EXPECT_NE(WhyNot().find("more than 32 MiB"), std::string::npos) << WhyNot();
  fs::resize_file(directory_ / "index.html", 1);
  for (int number = 0; number < 256; ++number) {
    Write("f" + std::to_string(number) + ".js", "");
  }
  EXPECT_NE(WhyNot().find("more than 256 files"), std::string::npos) << WhyNot();
}

}  // namespace
}  // namespace caisson::gateway
