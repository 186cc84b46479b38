// When a token expires, and what becomes of the file that has its digest.
#include "cli/token_command.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "cli/token_store.h"
#include "common/status.h"
#include "common/unique_fd.h"
#include "policy/token_file.h"

namespace caisson::cli {
namespace {

TEST(TokenExpiryTest, SpansAndTimesAreTaken) {
  constexpr int64_t kNow = 1'800'000'000;
  EXPECT_EQ(ExpiryOf("90d", kNow), kNow + 90 * 86'400);
  EXPECT_EQ(ExpiryOf("12h", kNow), kNow + 12 * 3'600);
  EXPECT_EQ(ExpiryOf("1m", kNow), kNow + 60);
  EXPECT_EQ(ExpiryOf("2027-03-01T12:00:00Z", kNow), 1'803'902'400);
  for (const char* wrong : {"", "d", "90", "90s", "-1d", "1.5d", "0d", "4000d", "99999999999999999999d",
                            "never", "1999-01-01T00:00:00Z", "2999-01-01T00:00:00Z", " 1d", "1d "}) {
    EXPECT_EQ(ExpiryOf(wrong, kNow), std::nullopt) << wrong;
  }
}

std::string Entry(const std::string& id) {
  return R"({"id": ")" + id + R"(", "sha256": ")" + policy::TokenDigestText(policy::DigestOfToken(id)) +
         R"(", "tenant": "web", "role": "run", "expires": "2027-03-01T12:00:00Z"})";
}

class TokenStoreTest : public testing::Test {
 protected:
  TokenStoreTest() {
    std::string name = (std::filesystem::temp_directory_path() / "caisson-store-XXXXXX").string();
    directory_ = mkdtemp(name.data());
    file_ = directory_ + "/tokens.json";
  }
  ~TokenStoreTest() override { std::filesystem::remove_all(directory_); }
  std::string Text() const {
    std::ifstream in(file_);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  std::vector<std::string> Ids() const {
    std::vector<std::string> ids;
    const auto tokens = policy::ParseTokens(Text(), "t");
    EXPECT_TRUE(tokens.ok()) << Message(tokens.status());
    for (const policy::TokenEntry& token : *tokens) {
      ids.push_back(token.id);
    }
    return ids;
  }
  // Nothing but the file and its lock is left of a change.
  size_t Files() const {
    return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(directory_), {}));
  }
  std::string LockPath() const { return file_ + ".caisson-lock"; }
  std::string ErrorOfAdding() const { return Message(AddTokenEntry(file_, Entry("000000000001"))); }
  std::string directory_;
  std::string file_;
};

TEST_F(TokenStoreTest, EntriesComeAndGo) {
  ASSERT_TRUE(AddTokenEntry(file_, Entry("000000000001")).ok());
  ASSERT_TRUE(AddTokenEntry(file_, Entry("000000000002")).ok());
  EXPECT_EQ(Ids(), (std::vector<std::string>{"000000000001", "000000000002"}));
  ASSERT_TRUE(RemoveTokenEntry(file_, "000000000001").ok());
  EXPECT_EQ(Ids(), (std::vector<std::string>{"000000000002"}));
  EXPECT_TRUE(absl::IsNotFound(RemoveTokenEntry(file_, "000000000001")));
  EXPECT_EQ(Files(), 2U);
}

TEST_F(TokenStoreTest, ModeIsKeptAndANewFileIsItsOwners) {
  ASSERT_TRUE(AddTokenEntry(file_, Entry("000000000001")).ok());
  struct stat info {};
  ASSERT_EQ(stat(file_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
  ASSERT_EQ(chmod(file_.c_str(), 0640), 0);
  ASSERT_TRUE(AddTokenEntry(file_, Entry("000000000002")).ok());
  ASSERT_EQ(stat(file_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0640U);
}

TEST_F(TokenStoreTest, FileWithAFaultAndAnIdThatIsThereChangeNothing) {
  ASSERT_TRUE(AddTokenEntry(file_, Entry("000000000001")).ok());
  EXPECT_TRUE(absl::IsInvalidArgument(AddTokenEntry(file_, Entry("000000000001"))));
  EXPECT_TRUE(absl::IsInvalidArgument(AddTokenEntry(file_, "{")));
  EXPECT_EQ(Ids(), (std::vector<std::string>{"000000000001"}));
  std::ofstream(file_, std::ios::trunc) << "{\"tokens\": []}";
  EXPECT_TRUE(absl::IsInvalidArgument(AddTokenEntry(file_, Entry("000000000002"))));
  EXPECT_EQ(Text(), "{\"tokens\": []}");
  EXPECT_EQ(Files(), 2U);
}

TEST_F(TokenStoreTest, RevokingWithoutAFileMakesNone) {
  EXPECT_FALSE(RemoveTokenEntry(file_, "000000000001").ok());
  EXPECT_EQ(Files(), 0U);
}

TEST_F(TokenStoreTest, WhoeverMayReadTheDirectoryOrTheFileHoldsNobodyUp) {
  ASSERT_TRUE(AddTokenEntry(file_, Entry("000000000001")).ok());
  const UniqueFd directory(open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const UniqueFd file(open(file_.c_str(), O_RDONLY | O_CLOEXEC));
  ASSERT_EQ(flock(directory.get(), LOCK_EX), 0);
  ASSERT_EQ(flock(file.get(), LOCK_EX), 0);
  EXPECT_TRUE(RemoveTokenEntry(file_, "000000000001").ok());
}

TEST_F(TokenStoreTest, LockIsAFileThatNobodyElseCanOpen) {
  ASSERT_TRUE(AddTokenEntry(file_, Entry("000000000001")).ok());
  struct stat info {};
  ASSERT_EQ(lstat(LockPath().c_str(), &info), 0);
  EXPECT_TRUE(S_ISREG(info.st_mode));
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
  EXPECT_EQ(info.st_uid, geteuid());
}

TEST_F(TokenStoreTest, AnotherThatHoldsTheLockDoesNotHoldUsForEver) {
  UniqueFd held(open(LockPath().c_str(), O_RDONLY | O_CREAT | O_CLOEXEC, 0600));
  ASSERT_EQ(flock(held.get(), LOCK_EX), 0);
  EXPECT_NE(ErrorOfAdding().find("which another program holds"), std::string::npos);
  EXPECT_EQ(Files(), 1U);
  held.reset();
  EXPECT_TRUE(AddTokenEntry(file_, Entry("000000000001")).ok());
}

TEST_F(TokenStoreTest, LockThatOthersCouldHoldOrHaveMadeIsRefused) {
  std::ofstream(LockPath()).close();
  ASSERT_EQ(chmod(LockPath().c_str(), 0640), 0);
  EXPECT_NE(ErrorOfAdding().find("others may hold it"), std::string::npos);
  std::filesystem::remove(LockPath());
  std::filesystem::create_symlink("elsewhere", LockPath());
  EXPECT_NE(ErrorOfAdding().find("Too many levels of symbolic links"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(directory_ + "/elsewhere"));
  std::filesystem::remove(LockPath());
  ASSERT_EQ(mkfifo(LockPath().c_str(), 0600), 0);
  EXPECT_NE(ErrorOfAdding().find("must be a file of yours"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(file_));
}

TEST_F(TokenStoreTest, LockOfAnotherUserIsRefused) {
  if (geteuid() != 0) {
    GTEST_SKIP() << "needs root: makes another user's file";
  }
  constexpr uid_t kOther = 65'534;
  UniqueFd(open(LockPath().c_str(), O_RDONLY | O_CREAT | O_CLOEXEC, 0600)).reset();
  ASSERT_EQ(chown(LockPath().c_str(), kOther, kOther), 0);
  EXPECT_NE(ErrorOfAdding().find("must be a file of yours"), std::string::npos);
  // Whose directory it is could take the file away as well.
  ASSERT_EQ(chown(directory_.c_str(), kOther, kOther), 0);
  EXPECT_TRUE(AddTokenEntry(file_, Entry("000000000001")).ok());
}

TEST_F(TokenStoreTest, ChangesAtTheSameTimeAreAllThere) {
  std::vector<std::thread> writers;
  for (int i = 0; i < 8; ++i) {
    writers.emplace_back([this, i] {
      for (int j = 0; j < 4; ++j) {
        const std::string id = std::to_string(i) + "0000000000" + std::to_string(j);
        EXPECT_TRUE(AddTokenEntry(file_, Entry(id)).ok());
      }
    });
  }
  for (std::thread& writer : writers) {
    writer.join();
  }
  EXPECT_EQ(Ids().size(), 32U);
  EXPECT_EQ(Files(), 2U);
}

}  // namespace
}  // namespace caisson::cli
