// The payload's argv and envp, from the profile's command and a hostile bundle. A failure ends the process,
// as it ends the stub.
#include "sandbox/init/exec_image.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "raw_bundle.h"
#include "sandbox/plan_writer.h"

namespace caisson::init {
namespace {

using sandbox::PlanRecord;
using sandbox::PlanWriter;
using wire::BundleRecord;
using Words = std::vector<std::string>;

struct Hint {
  uint32_t flags;
  uint32_t percent;
  std::string before;
  std::string after;
};

// Owns the bytes that an ExecImage points into.
class Built {
 public:
  Built(const Words& command, RawBundle bundle, const HintedLimits& limits = {},
        const std::vector<Hint>& hints = {})
      : bundle_(std::move(bundle)) {
    PlanWriter writer;
    for (const Hint& hint : hints) {
      writer.AddText(PlanRecord::kLimitHint, {hint.flags, hint.percent, hint.before}, hint.after);
    }
    for (const std::string& word : command) {
      writer.Add(PlanRecord::kArgument, {0, 0, word});
    }
    plan_ = writer.Finish();
    const PlanReader plan(reinterpret_cast<const unsigned char*>(plan_.data()), plan_.size());
    BundleReader reader = bundle_.Reader();
    Progress progress(Progress::Side::kStub, -1);
    image_->Build(plan, reader, limits, progress);
  }

  Words argv() const { return ToWords(image_->argv()); }
  Words envp() const { return ToWords(image_->envp()); }

 private:
  static Words ToWords(const char* const* texts) {
    Words words;
    for (; *texts != nullptr; ++texts) {
      words.emplace_back(*texts);
    }
    return words;
  }

  RawBundle bundle_;
  std::vector<std::byte> plan_;
  std::unique_ptr<ExecImage> image_ = std::make_unique<ExecImage>();
};

TEST(ExecImageTest, SourcesBecomeOneWordEachInOrderBeforeTheArguments) {
  RawBundle bundle;
  bundle.Record(BundleRecord::kArgument, "-DX");
  bundle.Record(BundleRecord::kSource, "main.c");
  bundle.Record(BundleRecord::kSource, "lib/a.c");
  EXPECT_EQ(Built({"/usr/bin/cc", "{sources}", "-o", "main"}, bundle).argv(),
            (Words{"/usr/bin/cc", "/box/main.c", "/box/lib/a.c", "-o", "main", "-DX"}));
}

TEST(ExecImageTest, WithoutSourcesTheWordIsGone) {
  RawBundle bundle;
  EXPECT_EQ(Built({"/usr/bin/cc", "{sources}"}, bundle).argv(), (Words{"/usr/bin/cc"}));
}

TEST(ExecImageTest, SourcesCanBeNamedTwiceAndDoNotDisturbTheMainFile) {
  RawBundle bundle;
  bundle.Record(BundleRecord::kMainFile, "m");
  bundle.Record(BundleRecord::kSource, "a");
  EXPECT_EQ(Built({"/x", "{sources}", "{main}", "{sources}"}, bundle).argv(),
            (Words{"/x", "/box/a", "/box/m", "/box/a"}));
}

TEST(ExecImageTest, AFullArgvIsE2bigNotAnOverflow) {
  RawBundle bundle;
  for (uint32_t i = 0; i < 1087; ++i) {
    bundle.Record(BundleRecord::kSource, "s" + std::to_string(i));
  }
  EXPECT_EQ(Built({"/x", "{sources}"}, bundle).argv().size(), 1088U);
  EXPECT_EXIT(Built({"/x", "y", "{sources}"}, bundle), testing::ExitedWithCode(1), "");
}

// BundleWriter would not write it: a bundle is the dispatcher's word, which the stub does not take.
TEST(ExecImageTest, ASourceThatLeadsAwayIsRefused) {
  RawBundle bundle;
  bundle.Record(BundleRecord::kSource, "../passwd");
  EXPECT_EXIT(Built({"/x", "{sources}"}, bundle), testing::ExitedWithCode(1), "");
}

constexpr uint64_t kMib = 1024UL * 1024;

TEST(ExecImageTest, HintsTellPartOfTheMemoryAndTheCpusRoundedUp) {
  const Built built({"/x"}, RawBundle(), {256 * kMib, 1500},
                    {{0, 70, "-Xmx", "m"}, {sandbox::kHintCpus, 100, "-cpus=", ""}});
  EXPECT_EQ(built.argv(), (Words{"-Xmx179m", "-cpus=2", "/x"}));
  EXPECT_EQ(built.envp(), Words());
}

TEST(ExecImageTest, HintsTellAtLeastOne) {
  EXPECT_EQ(
      Built({}, RawBundle(), {kMib / 2, 1}, {{0, 100, "m", ""}, {sandbox::kHintCpus, 100, "c", ""}}).argv(),
      (Words{"m1", "c1"}));
}

TEST(ExecImageTest, AHintCanBeAVariableWhichTheClientReplaces) {
  const std::vector<Hint> hints = {{sandbox::kHintVariable, 90, "GOMEMLIMIT=", "MiB"}};
  EXPECT_EQ(Built({"/x"}, RawBundle(), {10 * kMib, 1000}, hints).envp(), (Words{"GOMEMLIMIT=9MiB"}));
  RawBundle bundle;
  bundle.Record(BundleRecord::kEnvironment, "GOMEMLIMIT=off");
  EXPECT_EQ(Built({"/x"}, bundle, {10 * kMib, 1000}, hints).envp(), (Words{"GOMEMLIMIT=off"}));
}

TEST(ExecImageTest, HintsDoNotOverflowTheirPlaces) {
  const Hint fits{0, 100, std::string(sandbox::kMaxLimitHintBytes - 2, 'x'), ""};
  EXPECT_EQ(Built({}, RawBundle(), {kMib, 1}, {fits}).argv().front().size(), sandbox::kMaxLimitHintBytes - 1);
  EXPECT_EXIT(Built({}, RawBundle(), {10 * kMib, 1}, {fits}), testing::ExitedWithCode(1), "");
  const std::vector<Hint> most(sandbox::kMaxLimitHints, Hint{0, 100, "h", ""});
  EXPECT_EQ(Built({}, RawBundle(), {kMib, 1}, most).argv().size(), most.size());
  std::vector<Hint> more = most;
  more.push_back(most.front());
  EXPECT_EXIT(Built({}, RawBundle(), {kMib, 1}, more), testing::ExitedWithCode(1), "");
}

TEST(ExecImageTest, TheMainClassIsThePathWithoutExtensionAndWithDots) {
  for (const auto& [file, name] :
       std::vector<std::pair<std::string, std::string>>{{"Main.java", "Main"},
                                                        {"com/x/Main.java", "com.x.Main"},
                                                        {"a.b/Top.x.java", "a.b.Top.x"},
                                                        {"a.b/Main", "a.b.Main"},
                                                        {"plain", "plain"},
                                                        {".java", ".java"},
                                                        {"d/.java", "d..java"},
                                                        {"x.", "x"}}) {
    RawBundle bundle;
    bundle.Record(BundleRecord::kMainFile, file);
    EXPECT_EQ(Built({"/x", "{main_class}", "{main}"}, bundle).argv(), (Words{"/x", name, "/box/" + file}));
  }
}

}  // namespace
}  // namespace caisson::init
