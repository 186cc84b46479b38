// A plan is written by caissond and read by init: both ends here, on the same bytes.
#include "sandbox/plan_builder.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "sandbox/init/plan_reader.h"

namespace caisson::sandbox {
namespace {

namespace fs = std::filesystem;

policy::StepSection SmallStep() {
  policy::StepSection step;
  step.command = {"/usr/bin/tool", "{main}"};
  step.environment = {{"HOME", "/box"}};
  step.binds = {{"/usr", "", true, false, "the runtime"}, {"/does/not/exist", "", true, true, "optional"}};
  step.files = {{"/etc/passwd", "box:x:1000:1000::/box:/bin/sh\n"}};
  step.symlinks = {{"/bin", "usr/bin"}};
  step.box_executable = false;
  return step;
}

struct Read {
  PlanRecord type;
  std::string path;
  uint32_t flags;
  std::string data;  // of a bind: its source
};

std::vector<Read> ReadPlan(const UniqueFd& plan) {
  struct stat info {};
  fstat(plan.get(), &info);
  const auto size = static_cast<size_t>(info.st_size);
  void* bytes = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, plan.get(), 0);
  init::PlanReader reader(static_cast<const unsigned char*>(bytes), size);
  std::vector<Read> records;
  init::PlanItem item{};
  while (reader.Next(item)) {
    const auto* data = reinterpret_cast<const char*>(item.data);
    records.push_back({item.type, item.path == nullptr ? "" : item.path, item.flags,
                       item.type == PlanRecord::kBind ? std::string(data) : std::string()});
  }
  EXPECT_TRUE(reader.valid());
  munmap(bytes, size);
  return records;
}

absl::StatusOr<std::vector<Read>> BuildAndRead(const policy::StepSection& step, bool terminal = false,
                                               const policy::CompiledFilter& filter = {}) {
  absl::StatusOr<UniqueFd> plan =
      BuildPlan(step, filter, {.staging_path = "/run/staging", .landlock_abi = 7, .terminal = terminal});
  if (!plan.ok()) {
    return plan.status();
  }
  return ReadPlan(*plan);
}

size_t IndexOf(const std::vector<Read>& records, PlanRecord type, const std::string& path) {
  for (size_t i = 0; i < records.size(); ++i) {
    if (records[i].type == type && records[i].path == path) {
      return i;
    }
  }
  ADD_FAILURE() << "no record for " << path;
  return 0;
}

TEST(PlanBuilderTest, ParentsComeBeforeTheirChildrenAndDevBeforeItsShm) {
  const auto records = BuildAndRead(SmallStep());
  ASSERT_TRUE(records.ok());
  EXPECT_LT(IndexOf(*records, PlanRecord::kMkdir, "/etc"),
            IndexOf(*records, PlanRecord::kTextFile, "/etc/passwd"));
  EXPECT_LT(IndexOf(*records, PlanRecord::kTmpfs, "/dev"),
            IndexOf(*records, PlanRecord::kWorkDir, "/dev/shm"));
  EXPECT_LT(IndexOf(*records, PlanRecord::kUnmount, "/proc"), IndexOf(*records, PlanRecord::kProc, "/proc"));
}

// init lets go on what this record names, so a plan that should not have it must not.
TEST(PlanBuilderTest, OnlyAFilterThatObservesMakesTheRecordOfWhatIsLetGoOn) {
  const auto count = [](const absl::StatusOr<std::vector<Read>>& records) {
    EXPECT_TRUE(records.ok());
    return std::count_if(records->begin(), records->end(),
                         [](const Read& record) { return record.type == PlanRecord::kObserved; });
  };
  EXPECT_EQ(count(BuildAndRead(SmallStep())), 0);
  policy::CompiledFilter observing;
  observing.observed = {{41, {1, 0, 0, 0, 0, 0}}};
  EXPECT_EQ(count(BuildAndRead(SmallStep(), false, observing)), 1);
}

TEST(PlanBuilderTest, MissingOptionalBindIsLeftOut) {
  const auto records = BuildAndRead(SmallStep());
  ASSERT_TRUE(records.ok());
  for (const Read& record : *records) {
    EXPECT_NE(record.path, "/does/not/exist");
  }
}

TEST(PlanBuilderTest, MissingRequiredBindIsAnError) {
  policy::StepSection step = SmallStep();
  step.binds[1].optional = false;
  EXPECT_TRUE(absl::IsFailedPrecondition(BuildAndRead(step).status()));
}

// A directory as an image would be mounted, with links that lead out of it for whoever follows them outside.
class SmallImage {
 public:
  SmallImage() {
    std::string name = (fs::temp_directory_path() / "caisson-plan-XXXXXX").string();
    path_ = fs::canonical(mkdtemp(name.data()));
    fs::create_directories(path_ / "usr/share/zoneinfo");
    fs::create_directories(path_ / "etc");
    std::ofstream(path_ / "usr/share/zoneinfo/UTC") << "zone";
    fs::create_symlink("/usr/share/zoneinfo/UTC", path_ / "etc/localtime");
    fs::create_symlink("/etc/passwd", path_ / "etc/outside");
    fs::create_symlink("../../../../../etc/passwd", path_ / "etc/above");
    root_ = UniqueFd(open(path_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  }
  ~SmallImage() { fs::remove_all(path_); }
  SmallImage(const SmallImage&) = delete;
  SmallImage& operator=(const SmallImage&) = delete;

  // The sources of the plan's binds.
  absl::StatusOr<std::vector<std::string>> Sources(const std::vector<policy::BindMount>& binds) const {
    policy::StepSection step = SmallStep();
    step.binds = binds;
    PlanOptions options{.staging_path = "/run/staging", .landlock_abi = 7};
    options.root = root_.get();
    auto plan = BuildPlan(step, {}, options);
    if (!plan.ok()) {
      return plan.status();
    }
    std::vector<std::string> sources;
    for (const Read& record : ReadPlan(*plan)) {
      if (record.type == PlanRecord::kBind) {
        sources.push_back(record.data);
      }
    }
    return sources;
  }
  std::string Path(const char* below) const { return path_ / below; }

 private:
  fs::path path_;
  UniqueFd root_;
};

TEST(PlanBuilderTest, BindsOfAnImageComeFromWhereItIsMounted) {
  const SmallImage image;
  const auto sources =
      image.Sources({{"/usr", "", true, false, ""}, {"/etc/localtime", "", false, true, ""}});
  ASSERT_TRUE(sources.ok()) << sources.status();
  EXPECT_EQ(*sources, (std::vector<std::string>{image.Path("usr"), image.Path("usr/share/zoneinfo/UTC")}));
}

TEST(PlanBuilderTest, LinksOfAnImageDoNotLeadToTheHost) {
  const SmallImage image;
  for (const char* source : {"/etc/outside", "/etc/above", "/etc/hostname"}) {
    const auto optional = image.Sources({{source, "", false, true, ""}});
    ASSERT_TRUE(optional.ok()) << optional.status();
    EXPECT_TRUE(optional->empty()) << source;
    const absl::Status required = image.Sources({{source, "", false, false, ""}}).status();
    EXPECT_TRUE(absl::IsFailedPrecondition(required)) << source;
    EXPECT_NE(required.message().find(std::string("bind ") + source + " of the image: "), std::string::npos)
        << required;
  }
}

TEST(PlanBuilderTest, EveryBindIsReadOnlyAndTheRootIsSealedBeforeAnyRunsPart) {
  const auto records = BuildAndRead(SmallStep());
  ASSERT_TRUE(records.ok());
  for (const Read& record : *records) {
    if (record.type == PlanRecord::kBind) {
      EXPECT_NE(record.flags & kMountReadOnly, 0U) << record.path;
    }
  }
  EXPECT_EQ(IndexOf(*records, PlanRecord::kSeal, "/") + 1, IndexOf(*records, PlanRecord::kOfTheRun, ""));
}

// All runs of the plan have the template in common, so nothing in it may be a device or writable.
TEST(PlanBuilderTest, WhatCanBeWrittenToIsEachRunsOwn) {
  using enum PlanRecord;
  for (const bool terminal : {false, true}) {
    const auto records = BuildAndRead(SmallStep(), terminal);
    ASSERT_TRUE(records.ok());
    const size_t own = IndexOf(*records, kOfTheRun, "");
    for (size_t i = 0; i < records->size(); ++i) {
      const PlanRecord type = records->at(i).type;
      if (type == kTmpfs || type == kDevice || type == kWork || type == kWorkDir || type == kProc ||
          type == kTerminals) {
        EXPECT_GT(i, own) << records->at(i).path;
      } else if (type == kTextFile || type == kBind) {
        EXPECT_LT(i, own) << records->at(i).path;
      }
    }
  }
}

TEST(PlanBuilderTest, WorkDirectoriesAreNoexecUnlessTheProfileSaysSo) {
  policy::StepSection step = SmallStep();
  for (const bool executable : {false, true}) {
    step.box_executable = executable;
    const auto records = BuildAndRead(step);
    ASSERT_TRUE(records.ok());
    for (const char* path : {"/box", "/tmp", "/dev/shm"}) {
      const uint32_t flags = (*records)[IndexOf(*records, PlanRecord::kWorkDir, path)].flags;
      EXPECT_EQ((flags & kMountNoExec) == 0, executable) << path;
    }
  }
}

TEST(PlanBuilderTest, ATerminalBringsItsDevicesAndNothingElseDoes) {
  const auto without = BuildAndRead(SmallStep());
  const auto with = BuildAndRead(SmallStep(), true);
  ASSERT_TRUE(without.ok() && with.ok());
  for (const Read& record : *without) {
    EXPECT_NE(record.type, PlanRecord::kTerminals);
    EXPECT_FALSE(record.path.starts_with("/dev/pts") || record.path == "/dev/tty") << record.path;
  }
  // Below /dev, which is read-only in the end; nodev would keep the terminal from being opened.
  const Read& mount = with->at(IndexOf(*with, PlanRecord::kTerminals, "/dev/pts"));
  EXPECT_EQ(mount.flags, kMountAllowDev | kMountNoExec);
  EXPECT_LT(IndexOf(*with, PlanRecord::kTmpfs, "/dev"), IndexOf(*with, PlanRecord::kTerminals, "/dev/pts"));
  EXPECT_LT(IndexOf(*with, PlanRecord::kTerminals, "/dev/pts"), IndexOf(*with, PlanRecord::kSeal, "/dev"));
  IndexOf(*with, PlanRecord::kDevice, "/dev/tty");
  IndexOf(*with, PlanRecord::kLandlockRule, "/dev/tty");
  IndexOf(*with, PlanRecord::kLandlockRule, "/dev/pts/0");
  // Two devices' records, the directory, the mount, two rules.
  EXPECT_EQ(with->size(), without->size() + 5);
}

TEST(PlanReaderTest, EveryTruncationIsInvalid) {
  absl::StatusOr<UniqueFd> plan =
      BuildPlan(SmallStep(), {}, {.staging_path = "/run/staging", .landlock_abi = 1});
  ASSERT_TRUE(plan.ok());
  struct stat info {};
  fstat(plan->get(), &info);
  const auto size = static_cast<size_t>(info.st_size);
  const void* bytes = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, plan->get(), 0);
  const std::vector<unsigned char> all(static_cast<const unsigned char*>(bytes),
                                       static_cast<const unsigned char*>(bytes) + size);
  for (size_t cut = 0; cut < size; cut += 8) {
    std::vector<unsigned char> part(all.begin(), all.begin() + static_cast<long>(cut));
    EXPECT_FALSE(init::PlanReader(part.data(), part.size()).valid()) << cut;
  }
}

}  // namespace
}  // namespace caisson::sandbox
