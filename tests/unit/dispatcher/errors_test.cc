#include "dispatcher/errors.h"

#include <gtest/gtest.h>

#include <map>
#include <sstream>
#include <string>
#include <tuple>

#include "common/files.h"
#include "dispatcher/status_details.h"

namespace caisson::dispatcher {
namespace {

TEST(ErrorsTest, TableAndDocumentSayTheSame) {
  const auto page = ReadFile(std::string(CAISSON_DOCS_DIR) + "/errors.md");
  ASSERT_TRUE(page.ok()) << page.status().message();
  using Row = std::tuple<std::string, std::string>;
  std::map<std::string, Row> documented;
  std::istringstream lines(*page);
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind("| `", 0) != 0) {
      continue;
    }
    std::istringstream cells(line.substr(1));
    std::string name;
    std::string code;
    std::string retry;
    std::getline(cells, name, '|');
    std::getline(cells, code, '|');
    std::getline(cells, retry, '|');
    const auto trim = [](const std::string& text) {
      const size_t start = text.find_first_not_of(" `");
      return text.substr(start, text.find_last_not_of(" `") - start + 1);
    };
    documented[trim(name)] = Row(trim(code), trim(retry));
  }
  std::map<std::string, Row> table;
  for (const ReasonInfo& info : AllReasons()) {
    table[info.name] = Row(info.code_name, info.retryable ? "yes" : "no");
  }
  EXPECT_EQ(table, documented);
}

TEST(ErrorsTest, EveryRefusalCarriesReasonAndDomain) {
  for (const ReasonInfo& info : AllReasons()) {
    const grpc::Status status = Refuse(info.reason, "why", {{"key", "value"}});
    EXPECT_EQ(status.error_code(), info.code);
    EXPECT_EQ(status.error_message(), "why");
    const auto error = DetailOf<google::rpc::ErrorInfo>(status);
    ASSERT_TRUE(error.has_value());
    EXPECT_EQ(error->reason(), info.name);
    EXPECT_EQ(error->domain(), "caisson.dev");
    EXPECT_EQ(error->metadata().at("key"), "value");
  }
}

TEST(ErrorsTest, FieldsAreAllNamedAndTheMessageCountsThem) {
  const grpc::Status status = RefuseFields(Reason::kInvalidRequest, {{"a", "is bad"}, {"b", "is worse"}});
  EXPECT_EQ(status.error_message(), "a: is bad (and 1 more)");
  EXPECT_EQ(FieldsOf(status), (std::set<std::string>{"a", "b"}));
}

TEST(ErrorsTest, QuotaRefusalSaysWhatAndWhenToRetry) {
  const grpc::Status status = RefuseQuota(Reason::kQueueFull, "full", "queue", 1500);
  EXPECT_EQ(DetailOf<google::rpc::QuotaFailure>(status)->violations(0).subject(), "queue");
  const auto retry = DetailOf<google::rpc::RetryInfo>(status);
  EXPECT_EQ(retry->retry_delay().seconds(), 1);
  EXPECT_EQ(retry->retry_delay().nanos(), 500'000'000);
}

TEST(ErrorsTest, FaultsOfConfigurationAreToldOneByOne) {
  const grpc::Status status = RefuseConfiguration(
      Reason::kReloadRefused, "/a.json:3: quotas: unknown key\n/b.json:1: x: y: z\ncut \xc3");
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(status.error_message(), "/a.json:3: quotas: unknown key (and 2 more)");
  const auto failure = DetailOf<google::rpc::PreconditionFailure>(status);
  ASSERT_EQ(failure->violations_size(), 3);
  EXPECT_EQ(failure->violations(0).type(), "CONFIGURATION");
  EXPECT_EQ(failure->violations(0).subject(), "/a.json:3: quotas");
  EXPECT_EQ(failure->violations(0).description(), "unknown key");
  EXPECT_EQ(failure->violations(1).subject(), "/b.json:1: x");
  EXPECT_EQ(failure->violations(1).description(), "y: z");
  EXPECT_EQ(failure->violations(2).subject(), "");
  EXPECT_EQ(failure->violations(2).description(), "cut \xef\xbf\xbd");
  // What a client takes as metadata is 8 KiB.
  const grpc::Status long_one = RefuseConfiguration(Reason::kReloadRefused, std::string(2'047, 'x'));
  EXPECT_LT(long_one.error_message().size() + long_one.error_details().size() * 4 / 3, 6'000U);
}

TEST(ErrorsTest, QuotedTextIsShortAndPrintable) {
  EXPECT_EQ(Quoted("a\n\"\xff"), "\"a???\"");
  EXPECT_EQ(Quoted(std::string(1000, 'x')).size(), 64U + 5U);
}

}  // namespace
}  // namespace caisson::dispatcher
