// The payload's argv and envp, from the profile's command and a hostile bundle. A failure ends the process,
// as it ends the stub.
#include "sandbox/init/exec_image.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "raw_bundle.h"
#include "sandbox/plan_writer.h"

namespace caisson::init {
namespace {

using sandbox::PlanRecord;
using sandbox::PlanWriter;
using wire::BundleRecord;
using Words = std::vector<std::string>;

// Owns the bytes that an ExecImage points into.
class Built {
 public:
  Built(const Words& command, RawBundle bundle) : bundle_(std::move(bundle)) {
    PlanWriter writer;
    for (const std::string& word : command) {
      writer.Add(PlanRecord::kArgument, {0, 0, word});
    }
    plan_ = writer.Finish();
    const PlanReader plan(reinterpret_cast<const unsigned char*>(plan_.data()), plan_.size());
    BundleReader reader = bundle_.Reader();
    Progress progress(Progress::Side::kStub, -1);
    image_->Build(plan, reader, progress);
  }

  Words argv() const {
    Words words;
    for (const char* const* word = image_->argv(); *word != nullptr; ++word) {
      words.emplace_back(*word);
    }
    return words;
  }

 private:
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

}  // namespace
}  // namespace caisson::init
