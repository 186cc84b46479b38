#include "dispatcher/call_names.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "dispatcher/status_details.h"

namespace caisson::dispatcher {
namespace {

TEST(CallNamesTest, NamesOfRunsHaveOneForm) {
  EXPECT_TRUE(ValidateRunName("runs/0123456789abcdef0123456789abcdef").ok());
  for (const char* name :
       {"", "runs/", "runs/0123456789ABCDEF0123456789abcdef", "runs/0123456789abcdef0123456789abcde",
        "jobs/0123456789abcdef0123456789abcdef", "runs/../456789abcdef0123456789abcdef"}) {
    const grpc::Status status = ValidateRunName(name);
    EXPECT_EQ(ReasonOf(status), "INVALID_REQUEST") << name;
    EXPECT_EQ(FieldsOf(status), std::set<std::string>{"name"}) << name;
  }
}

}  // namespace
}  // namespace caisson::dispatcher
