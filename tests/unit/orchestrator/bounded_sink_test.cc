#include "orchestrator/bounded_sink.h"

#include <gtest/gtest.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/ostream_sink.h>

#include <algorithm>
#include <sstream>

namespace caisson::orchestrator {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

class BoundedSinkTest : public testing::Test {
 protected:
  BoundedSinkTest()
      : sink_(std::make_shared<BoundedSink>(std::make_shared<spdlog::sinks::ostream_sink_st>(written_),
                                            [this] { return now_; })),
        logger_("t", sink_) {
    logger_.set_pattern("%l %v");
  }
  size_t Count(const std::string& line) const {
    std::istringstream text(written_.str());
    size_t count = 0;
    for (std::string each; std::getline(text, each);) {
      count += each == line ? 1U : 0U;
    }
    return count;
  }
  int64_t now_ = kSecond;
  std::ostringstream written_;
  std::shared_ptr<BoundedSink> sink_;
  spdlog::logger logger_;
};

TEST_F(BoundedSinkTest, LinesBeyondTheBoundAreDroppedAndCounted) {
  for (uint32_t i = 0; i < kLogLinesPerSecond + 7; ++i) {
    logger_.info("line");
  }
  EXPECT_EQ(Count("info line"), kLogLinesPerSecond);
  now_ += kSecond;
  logger_.info("later");
  EXPECT_EQ(Count("warning 7 log lines were dropped, there were more than 100 in a second"), 1U);
  EXPECT_EQ(Count("info later"), 1U);
}

TEST_F(BoundedSinkTest, AFloodOfWarningsDropsNoError) {
  for (uint32_t i = 0; i < 10 * kLogLinesPerSecond; ++i) {
    logger_.warn("flood");
  }
  logger_.error("serious");
  logger_.critical("very");
  EXPECT_EQ(Count("error serious"), 1U);
  EXPECT_EQ(Count("critical very"), 1U);
}

TEST_F(BoundedSinkTest, AFloodOfErrorsIsBoundedToo) {
  for (uint32_t i = 0; i < 10 * kLogLinesPerSecond; ++i) {
    logger_.error("flood");
  }
  EXPECT_EQ(Count("error flood"), kLogLinesPerSecond);
}

TEST_F(BoundedSinkTest, TheCountIsWrittenWithoutAnotherLine) {
  for (uint32_t i = 0; i < kLogLinesPerSecond + 1; ++i) {
    logger_.info("line");
  }
  logger_.flush();
  EXPECT_EQ(Count("warning 1 log lines were dropped, there were more than 100 in a second"), 0U);
  now_ += kSecond;
  logger_.flush();
  logger_.flush();
  EXPECT_EQ(Count("warning 1 log lines were dropped, there were more than 100 in a second"), 1U);
}

TEST_F(BoundedSinkTest, QuietLogsAreNeverTouched) {
  for (int i = 0; i < 1'000; ++i) {
    logger_.info("line");
    now_ += kSecond / 50;
  }
  EXPECT_EQ(Count("info line"), 1'000U);
}

}  // namespace
}  // namespace caisson::orchestrator
