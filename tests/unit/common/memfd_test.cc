#include "common/memfd.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <string>
#include <string_view>

#include "common/files.h"
#include "common/status.h"

namespace caisson {
namespace {

UniqueFd MakeSealed(std::string_view text) {
  absl::StatusOr<UniqueFd> fd =
      MakeSealedMemfd("caisson-test", std::as_bytes(std::span(text)), MemfdKind::kData);
  EXPECT_TRUE(fd.ok()) << fd.status();
  return std::move(fd).value();
}

[[noreturn]] void Execute(int fd) {
  std::string name = "true";
  std::array<char*, 2> argv{name.data(), nullptr};
  std::array<char*, 1> envp{nullptr};
  fexecve(fd, argv.data(), envp.data());
  _exit(99);
}

TEST(MemfdTest, ContentIsThereAndCanNoLongerChange) {
  const UniqueFd fd = MakeSealed("hello");
  std::array<char, 8> bytes{};
  EXPECT_EQ(pread(fd.get(), bytes.data(), bytes.size(), 0), 5);
  EXPECT_EQ(std::string_view(bytes.data(), 5), "hello");
  EXPECT_EQ(pwrite(fd.get(), "x", 1, 0), -1);
  EXPECT_EQ(errno, EPERM);
  EXPECT_EQ(ftruncate(fd.get(), 0), -1);
  EXPECT_EQ(errno, EPERM);
  EXPECT_EQ(ftruncate(fd.get(), 100), -1);
  EXPECT_EQ(errno, EPERM);
  EXPECT_EQ(fcntl(fd.get(), F_ADD_SEALS, F_SEAL_WRITE), -1);
  EXPECT_EQ(errno, EPERM);
  EXPECT_EQ(mmap(nullptr, 5, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0), MAP_FAILED);
}

TEST(MemfdTest, DescriptorsAreCloseOnExec) { EXPECT_EQ(fcntl(MakeSealed("x").get(), F_GETFD), FD_CLOEXEC); }

TEST(MemfdTest, AnExecutableOneCanBeExecuted) {
  const absl::StatusOr<std::string> program = ReadFile("/bin/true", 1 << 20);
  ASSERT_TRUE(program.ok()) << program.status();
  const absl::StatusOr<UniqueFd> fd =
      MakeSealedMemfd("caisson-true", std::as_bytes(std::span(*program)), MemfdKind::kExecutable);
  ASSERT_TRUE(fd.ok()) << fd.status();
  EXPECT_EXIT(Execute(fd->get()), testing::ExitedWithCode(0), "");
}

TEST(CheckSealedMemfdTest, ASealedOneWithinBoundsIsAccepted) {
  EXPECT_TRUE(CheckSealedMemfd(MakeSealed("12345").get(), 5).ok());
}

TEST(CheckSealedMemfdTest, SizesOutOfBoundsAreRefused) {
  EXPECT_FALSE(CheckSealedMemfd(MakeSealed("123456").get(), 5).ok());
  EXPECT_FALSE(CheckSealedMemfd(MakeSealed("").get(), 5).ok());
}

TEST(CheckSealedMemfdTest, MemoryBeyondTheEndIsRefused) {
  constexpr int64_t kMuch = 64 << 20;
  const UniqueFd fd(memfd_create("caisson-test", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  ASSERT_EQ(write(fd.get(), "x", 1), 1);
  ASSERT_EQ(fallocate(fd.get(), FALLOC_FL_KEEP_SIZE, 0, kMuch), 0);
  ASSERT_EQ(fcntl(fd.get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL), 0);
  EXPECT_FALSE(CheckSealedMemfd(fd.get(), kMuch).ok());
  EXPECT_NE(fallocate(fd.get(), FALLOC_FL_KEEP_SIZE, 0, 2 * kMuch), 0) << "it can grow after the check";
}

TEST(CheckSealedMemfdTest, EachSealIsNeeded) {
  constexpr std::array<int, 4> kSeals{F_SEAL_WRITE, F_SEAL_GROW, F_SEAL_SHRINK, F_SEAL_SEAL};
  for (unsigned int missing = 0; missing < kSeals.size(); ++missing) {
    const UniqueFd fd(memfd_create("caisson-test", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    ASSERT_EQ(write(fd.get(), "x", 1), 1);
    int seals = 0;
    for (unsigned int i = 0; i < kSeals.size(); ++i) {
      seals |= i == missing ? 0 : kSeals.at(i);
    }
    ASSERT_EQ(fcntl(fd.get(), F_ADD_SEALS, seals), 0);
    EXPECT_FALSE(CheckSealedMemfd(fd.get(), 5).ok()) << missing;
  }
}

TEST(CheckSealedMemfdTest, OtherDescriptorsAreRefused) {
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
  const UniqueFd read_end(ends[0]);
  const UniqueFd write_end(ends[1]);
  EXPECT_FALSE(CheckSealedMemfd(read_end.get(), 5).ok());
  for (const char* path : {"/dev/null", "/", "/bin/true"}) {
    const absl::StatusOr<UniqueFd> fd = OpenFile(path, O_RDONLY);
    ASSERT_TRUE(fd.ok()) << fd.status();
    EXPECT_FALSE(CheckSealedMemfd(fd->get(), 1 << 30).ok()) << path;
  }
  EXPECT_FALSE(CheckSealedMemfd(-1, 5).ok());
}

}  // namespace
}  // namespace caisson
