// Which token a command shows: only what is a token, from a file that nobody else can use.
#include "cli/server.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "common/status.h"
#include "policy/token_secret.h"

namespace caisson::cli {
namespace {

class TokenFileOptionTest : public testing::Test {
 protected:
  TokenFileOptionTest() {
    std::string name = (std::filesystem::temp_directory_path() / "caisson-token-XXXXXX").string();
    directory_ = mkdtemp(name.data());
    file_ = directory_ + "/token";
  }
  ~TokenFileOptionTest() override { std::filesystem::remove_all(directory_); }
  void Write(const std::string& text, mode_t mode = 0600) const {
    std::ofstream(file_, std::ios::trunc) << text;
    EXPECT_EQ(chmod(file_.c_str(), mode), 0);
  }
  std::string Read() const {
    const auto token = ReadTokenFile(file_);
    return token.ok() ? *token : Message(token.status()).substr(("token file " + file_ + ": ").size());
  }
  const std::string token_ = policy::MakeToken();
  std::string directory_;
  std::string file_;
};

TEST_F(TokenFileOptionTest, OneLineIsTaken) {
  Write(token_ + "\n");
  EXPECT_EQ(Read(), token_);
  Write(token_, 0400);
  EXPECT_EQ(Read(), token_);
  std::filesystem::rename(file_, file_ + ".there");
  std::filesystem::create_symlink(file_ + ".there", file_);
  EXPECT_EQ(Read(), token_);
}

TEST_F(TokenFileOptionTest, WhatOthersCanUseIsRefused) {
  for (const mode_t mode : {0640U, 0604U, 0620U, 0602U, 0610U, 0644U}) {
    Write(token_ + "\n", mode);
    EXPECT_EQ(Read(), "others can use it: chmod 600");
  }
}

TEST_F(TokenFileOptionTest, WhatIsNoTokenIsRefusedAndNotRepeated) {
  const std::string refusal = "is not a token: one line that `caisson token create` printed";
  for (const std::string& text : {std::string(), std::string("\n"), token_ + "\n\n", " " + token_,
                                  token_ + "\r\n", token_ + "\n" + token_, token_.substr(1)}) {
    Write(text);
    EXPECT_EQ(Read(), refusal) << text;
  }
  Write(std::string(257, 'a'));
  EXPECT_EQ(Read(), "is too large to be a token");
}

TEST_F(TokenFileOptionTest, WhatIsNoFileIsRefused) {
  EXPECT_EQ(Read(), "open: No such file or directory");
  ASSERT_EQ(mkfifo(file_.c_str(), 0600), 0);
  EXPECT_EQ(Read(), "is not a regular file");
  ASSERT_EQ(unlink(file_.c_str()), 0);
  ASSERT_EQ(mkdir(file_.c_str(), 0700), 0);
  EXPECT_EQ(Read(), "is not a regular file");
}

TEST_F(TokenFileOptionTest, OptionGoesBeforeTheEnvironment) {
  Write(token_);
  const auto none = ResolveServer({}, nullptr, nullptr);
  ASSERT_TRUE(none.ok());
  EXPECT_EQ(none->token, "");
  EXPECT_EQ(ResolveServer({"/a", ""}, nullptr, file_.c_str())->token, token_);
  EXPECT_EQ(ResolveServer({"/a", file_}, nullptr, "/nowhere")->token, token_);
  EXPECT_EQ(ResolveServer({"/a", file_}, "/b", nullptr)->address, "unix:/a");
  EXPECT_FALSE(ResolveServer({"/a", ""}, nullptr, "/nowhere").ok());
}

}  // namespace
}  // namespace caisson::cli
