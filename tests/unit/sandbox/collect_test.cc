// The collector on real trees: what it delivers, what it refuses, and why. Attacks through a whole sandbox
// are in tests/attack/test_collector.py.
#include "sandbox/init/collect.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>

#include "collected.h"
#include "raw_bundle.h"

namespace caisson::init {
namespace {

namespace fs = std::filesystem;
using wire::OutputRefusal;
using Names = std::vector<std::string>;

constexpr char kSecret[] = "what no run may see";

class CollectTest : public testing::Test {
 protected:
  CollectTest() {
    std::string name = (fs::temp_directory_path() / "caisson-collect-XXXXXX").string();
    top_ = mkdtemp(name.data());
    fs::create_directory(top_ / "box");
    std::ofstream(top_ / "secret") << kSecret;
  }
  ~CollectTest() override {
    std::error_code ignored;
    fs::remove_all(top_, ignored);
  }

  std::string Path(const std::string& name) const { return (top_ / "box" / name).string(); }
  void Write(const std::string& name, const std::string& content, mode_t mode = 0644) const {
    fs::create_directories(fs::path(Path(name)).parent_path());
    std::ofstream(Path(name), std::ios::binary) << content;
    ASSERT_EQ(chmod(Path(name).c_str(), mode), 0) << name;
  }
  void Directory(const std::string& name) const { fs::create_directories(Path(name)); }

  Collected CollectPaths(const Names& asked) const {
    RawBundle bundle;
    for (const std::string& path : asked) {
      bundle.Record(wire::BundleRecord::kOutputPath, path);
    }
    Collected collected = Collect((top_ / "box").string(), bundle.Reader());
    EXPECT_TRUE(collected.status.ok()) << Message(collected.status);
    EXPECT_TRUE(collected.done);
    for (const auto& [path, file] : collected.files) {
      EXPECT_EQ(file.content.find(kSecret), std::string::npos) << path;
    }
    return collected;
  }
  // Collects all of /box; expects exactly this refusal and no file.
  void ExpectOnly(const std::string& path, OutputRefusal reason, int error = 0) const {
    const Collected collected = CollectPaths({"."});
    EXPECT_EQ(collected.order, Names());
    EXPECT_EQ(collected.refusals, (std::vector<Collected::Refusal>{{path, reason, error}}));
  }

  fs::path top_;
};

TEST_F(CollectTest, FilesAndTreesComeWithTheirBytesInTheOrderOfTheirNames) {
  Write("out/b/file", "bb");
  Write("out/a", std::string(200'000, 'a'));
  Write("out/c", "");
  Write("single", "one", 0700);
  Write("not asked", "x");
  const Collected collected = CollectPaths({"single", "out"});
  EXPECT_EQ(collected.order, (Names{"out/a", "out/b/file", "out/c", "single"}));
  EXPECT_EQ(collected.files.at("out/a").content, std::string(200'000, 'a'));
  EXPECT_EQ(collected.files.at("out/b/file").content, "bb");
  EXPECT_EQ(collected.files.at("out/c").size, 0U);
  EXPECT_TRUE(collected.files.at("out/c").complete);
  EXPECT_TRUE(collected.files.at("single").executable);
  EXPECT_FALSE(collected.files.at("out/a").executable);
  EXPECT_TRUE(collected.refusals.empty());
}

TEST_F(CollectTest, NothingAskedForIsNothingDelivered) {
  Write("a", "a");
  EXPECT_TRUE(CollectPaths({}).order.empty());
}

TEST_F(CollectTest, EachFileComesOnceHoweverOftenItIsAskedFor) {
  Write("a/b/c", "1");
  Write("a/d", "2");
  Write("a-b", "3");
  const Names all = {"a-b", "a/b/c", "a/d"};
  for (const Names& asked :
       {Names{"."}, Names{".", "."}, Names{"a/b/c", "a", "a-b", "a"}, Names{"a/b", ".", "a/b/c", "a/d"}}) {
    Collected collected = CollectPaths(asked);
    std::sort(collected.order.begin(), collected.order.end());
    EXPECT_EQ(collected.order, all);
    EXPECT_TRUE(collected.refusals.empty());
  }
}

TEST_F(CollectTest, WhatIsNotThereIsListed) {
  Write("file", "x");
  const Collected collected = CollectPaths({"missing", "file/below", "no/such/dir", "file"});
  EXPECT_EQ(collected.order, (Names{"file"}));
  for (const char* path : {"missing", "file/below", "no/such/dir"}) {
    ASSERT_NE(collected.RefusalOf(path), nullptr) << path;
    EXPECT_EQ(collected.RefusalOf(path)->reason, OutputRefusal::kNotFound) << path;
  }
}

TEST_F(CollectTest, ARefusalIsListedOnceAlsoWhereTwoPathsLeadToIt) {
  Directory("d");
  fs::create_symlink("/etc/passwd", Path("d/link"));
  const Collected collected = CollectPaths({"d/link", "d", "."});
  EXPECT_EQ(collected.refusals, (std::vector<Collected::Refusal>{{"d/link", OutputRefusal::kLink, 0}}));
}

TEST_F(CollectTest, LinksAreNeverFollowed) {
  const std::string secret = (top_ / "secret").string();
  Directory("real");
  Write("real/file", "x");
  for (const std::string& target :
       {secret, std::string("../secret"), std::string("/proc/self/environ"), std::string("/dev/zero"),
        std::string("real/file"), std::string("self"), std::string("nowhere"), std::string(".")}) {
    SCOPED_TRACE(target);
    fs::create_symlink(target, Path("self"));
    const Collected asked = CollectPaths({"self", "self/file", "self/self/secret"});
    EXPECT_TRUE(asked.order.empty());
    ASSERT_EQ(asked.refusals.size(), 3U);
    for (const Collected::Refusal& refusal : asked.refusals) {
      EXPECT_EQ(refusal.reason, OutputRefusal::kLink) << refusal.path;
    }
    const Collected walked = CollectPaths({"."});
    EXPECT_EQ(walked.order, (Names{"real/file"}));
    EXPECT_EQ(walked.refusals, (std::vector<Collected::Refusal>{{"self", OutputRefusal::kLink, 0}}));
    fs::remove(Path("self"));
  }
}

TEST_F(CollectTest, AFileWithASecondNameIsRefused) {
  ASSERT_EQ(link((top_ / "secret").c_str(), Path("hard").c_str()), 0);
  ExpectOnly("hard", OutputRefusal::kHardLink);
}

TEST_F(CollectTest, AFifoIsNotOpened) {
  ASSERT_EQ(mkfifo(Path("fifo").c_str(), 0666), 0);
  ExpectOnly("fifo", OutputRefusal::kNotAFile);
}

TEST_F(CollectTest, ASocketIsNotAFile) {
  const UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  Path("socket").copy(address.sun_path, sizeof address.sun_path - 1);
  // SAFETY: bind(2) takes every address as a sockaddr.
  ASSERT_EQ(bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ExpectOnly("socket", OutputRefusal::kNotAFile);
}

TEST_F(CollectTest, ADeviceIsNotOpened) {
  if (mknod(Path("zero").c_str(), S_IFCHR | 0666, makedev(1, 5)) != 0) {
    GTEST_SKIP() << "needs CAP_MKNOD";
  }
  ExpectOnly("zero", OutputRefusal::kNotAFile);
}

TEST_F(CollectTest, AFileThatIsMostlyHolesIsRefusedAndOneWithALinkersHolesIsNot) {
  Write("linked", "begin");
  ASSERT_EQ(truncate(Path("linked").c_str(), 6'000'000), 0);
  Write("tebibyte", "begin");
  ASSERT_EQ(truncate(Path("tebibyte").c_str(), 1LL << 40), 0);
  const Collected collected = CollectPaths({"."});
  EXPECT_EQ(collected.order, (Names{"linked"}));
  EXPECT_EQ(collected.files.at("linked").content, "begin" + std::string(5'999'995, '\0'));
  EXPECT_EQ(collected.refusals, (std::vector<Collected::Refusal>{{"tebibyte", OutputRefusal::kSparse, 0}}));
}

TEST_F(CollectTest, AllFilesTogetherHaveABoundAndSmallerOnesStillCome) {
  // Allocated but never written: the cheapest way to files of this size.
  for (const char* name : {"a", "b"}) {
    const UniqueFd fd(open(Path(name).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
    ASSERT_EQ(posix_fallocate(fd.get(), 0, 160 << 20), 0);
  }
  Write("c", "small");
  const Collected collected = CollectPaths({"."});
  EXPECT_EQ(collected.order, (Names{"a", "c"}));
  EXPECT_EQ(collected.files.at("a").content.size(), 160U << 20U);
  EXPECT_EQ(collected.refusals, (std::vector<Collected::Refusal>{{"b", OutputRefusal::kTooLarge, 0}}));
}

TEST_F(CollectTest, TheNumberOfFilesAndOfListedRefusalsIsBounded) {
  for (int i = 0; i < 2000; ++i) {
    Write("f" + std::to_string(10'000 + i), "x");
  }
  const Collected collected = CollectPaths({"."});
  EXPECT_EQ(collected.order.size(), wire::kMaxOutputFiles);
  EXPECT_EQ(collected.order.back(), "f11023");
  EXPECT_EQ(collected.refusals.size(), wire::kMaxOutputRefusals);
  EXPECT_EQ(collected.refusals.front(), (Collected::Refusal{"f11024", OutputRefusal::kTooMany, 0}));
  EXPECT_EQ(collected.unlisted, 2000U - 1024U - 256U);
}

TEST_F(CollectTest, ADirectoryWithMoreNamesThanAreLookedAtIsListed) {
  Directory("d");
  Write("d/file", "x");
  for (uint32_t i = 0; i < Listings::kMaxNames + 10; ++i) {
    ASSERT_EQ(symlink("x", Path("d/" + std::to_string(i)).c_str()), 0);
  }
  const Collected collected = CollectPaths({"d"});
  EXPECT_EQ(collected.refusals.front(), (Collected::Refusal{"d", OutputRefusal::kTooMany, 0}));
  EXPECT_EQ(collected.refusals.size() + collected.unlisted + collected.order.size(),
            Listings::kMaxNames + 1U);
}

TEST_F(CollectTest, DepthCountsFromTheOutputPath) {
  std::string path = "top";
  for (uint32_t depth = 1; depth <= 40; ++depth) {
    path += "/d";
    Write(path + "/file" + std::to_string(depth), "x");
  }
  const Collected collected = CollectPaths({"top"});
  EXPECT_EQ(collected.order.size(), wire::kMaxOutputDepth);
  ASSERT_EQ(collected.refusals.size(), 1U);
  EXPECT_EQ(collected.refusals.front().reason, OutputRefusal::kTooDeep);
  EXPECT_EQ(collected.refusals.front().path.size(), 3 + 2 * 33U);
  EXPECT_EQ(CollectPaths({"top", path.substr(0, 3 + 2 * 20)}).order.size(), 40U);
}

TEST_F(CollectTest, ThreeHundredLevelsOfLongNamesEndTheWalkNotTheCollector) {
  const std::string name(250, 'n');
  UniqueFd at(open(Path("").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  for (int level = 0; level < 300; ++level) {
    ASSERT_EQ(mkdirat(at.get(), name.c_str(), 0755), 0);
    at = UniqueFd(openat(at.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  }
  const Collected collected = CollectPaths({"."});
  ASSERT_EQ(collected.refusals.size(), 1U);
  EXPECT_EQ(collected.refusals.front().reason, OutputRefusal::kNameTooLong);
  EXPECT_EQ(collected.refusals.front().path.size(), wire::kMaxPathBytes);
}

TEST_F(CollectTest, HostileNamesArriveAsTheyAre) {
  const Names names = {"\x1b[31m",
                       "\n",
                       "-rf",
                       "..x",
                       "a b",
                       "caf\xc3\xa9",
                       "\xff\xfe",
                       "\xe2\x80\xae"
                       "gpj.exe"};
  for (const std::string& name : names) {
    Write(name, name);
  }
  Names sorted = names;
  std::sort(sorted.begin(), sorted.end(), [](const std::string& a, const std::string& b) {
    return ComparePaths(a.data(), static_cast<uint32_t>(a.size()), b.data(),
                        static_cast<uint32_t>(b.size())) < 0;
  });
  EXPECT_EQ(CollectPaths({"."}).order, sorted);
}

TEST_F(CollectTest, PathsThatNoDispatcherWritesAreRefusedUnopened) {
  for (const std::string& path :
       {std::string("../secret"), std::string("/etc/passwd"), std::string("a/../../secret"), std::string(""),
        std::string("./."), std::string("a//b"), std::string(3000, 'x')}) {
    const Collected collected = CollectPaths({path});
    EXPECT_TRUE(collected.order.empty());
    ASSERT_EQ(collected.refusals.size(), 1U);
    EXPECT_EQ(collected.refusals.front().reason, OutputRefusal::kReadFailed);
    EXPECT_EQ(collected.refusals.front().error, EINVAL);
  }
}

TEST_F(CollectTest, ModesDoNotMatterToWhoMayReadEverything) {
  if (geteuid() != 0) {
    GTEST_SKIP() << "needs CAP_DAC_READ_SEARCH, as init has it";
  }
  Write("d/file", "x", 0);
  ASSERT_EQ(chmod(Path("d").c_str(), 0), 0);
  Write("sticky", "y", 06755);
  const Collected collected = CollectPaths({"."});
  EXPECT_EQ(collected.order, (Names{"d/file", "sticky"}));
  EXPECT_TRUE(collected.files.at("sticky").executable);
}

TEST_F(CollectTest, AReaderThatGoesAwayEndsTheCollection) {
  for (int i = 0; i < 100; ++i) {
    Write("f" + std::to_string(i), std::string(100'000, 'x'));
  }
  RawBundle bundle;
  bundle.Record(wire::BundleRecord::kOutputPath, ".");
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
  close(ends[0]);
  const auto before = signal(SIGPIPE, SIG_IGN);  // As PID 1 does, whose default is to ignore it.
  const UniqueFd box(open(Path("").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  const auto memory = std::make_unique<CollectMemory>();
  Collector(*memory, box.get(), bundle.Reader(), ends[1]).Run();
  static_cast<void>(signal(SIGPIPE, before));
  close(ends[1]);
}

TEST_F(CollectTest, NoDescriptorIsLeftOpen) {
  Write("a/b/c/d", "x");
  fs::create_symlink("x", Path("a/link"));
  const auto count = [] {
    const fs::directory_iterator descriptors("/proc/self/fd");
    return std::distance(fs::begin(descriptors), fs::end(descriptors));
  };
  const auto before = count();
  CollectPaths({".", "a/b", "missing"});
  EXPECT_EQ(count(), before);
}

TEST_F(CollectTest, ATornBundleGivesWhatItHeldBefore) {
  Write("a", "x");
  RawBundle bundle;
  bundle.Record(wire::BundleRecord::kOutputPath, "a").Record(wire::BundleRecord::kOutputPath, "b");
  bundle.bytes().resize(bundle.bytes().size() - 8);
  const Collected collected = Collect((top_ / "box").string(), bundle.Reader());
  EXPECT_EQ(collected.order, (Names{"a"}));
  EXPECT_TRUE(collected.refusals.empty());
}

TEST_F(CollectTest, MoreOutputPathsThanARequestMayHaveAreNotLookedAt) {
  Names asked;
  for (int i = 0; i < 300; ++i) {
    asked.push_back("missing" + std::to_string(i));
  }
  const Collected collected = CollectPaths(asked);
  EXPECT_EQ(collected.refusals.size(), wire::kMaxOutputPaths);
  EXPECT_EQ(collected.unlisted, 0U);
}

}  // namespace
}  // namespace caisson::init
