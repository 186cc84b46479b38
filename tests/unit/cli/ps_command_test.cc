#include "cli/ps_command.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "cli/client.h"

namespace caisson::cli {
namespace {

TEST(PsCommandTest, TableShowsStateAgeAndVerdict) {
  std::vector<v1::Run> runs(2);
  runs[0].set_name("runs/a");
  runs[0].set_profile("python");
  runs[0].set_state(v1::Run::RUNNING);
  runs[0].mutable_create_time()->set_seconds(1000);
  runs[1].set_name("runs/b");
  runs[1].set_profile("native");
  runs[1].set_state(v1::Run::FINISHED);
  runs[1].mutable_create_time()->set_seconds(100);
  runs[1].mutable_result()->set_verdict(v1::COMPLETED);
  EXPECT_EQ(RunsTable(runs, 1005),
            "NAME    PROFILE  STATE     AGE     VERDICT\n"
            "runs/a  python   RUNNING   5 s     -\n"
            "runs/b  native   FINISHED  15 min  COMPLETED\n");
}

TEST(PsCommandTest, TenantsAreShownWhereThereAreOthersThanTheDefault) {
  std::vector<v1::Run> runs(2);
  runs[0].set_name("runs/a");
  runs[0].set_tenant("default");
  EXPECT_EQ(RunsTable(runs, 0).find("TENANT"), std::string::npos);
  runs[1].set_name("runs/b");
  runs[1].set_tenant("beta");
  const std::string table = RunsTable(runs, 0);
  EXPECT_NE(table.find("NAME    TENANT "), std::string::npos) << table;
  EXPECT_NE(table.find("runs/b  beta "), std::string::npos) << table;
}

TEST(PsCommandTest, WhatThisProgramDoesNotKnowIsShownByItsNumber) {
  std::vector<v1::Run> runs(1);
  runs[0].set_name(std::string(500, 'x'));
  runs[0].set_state(static_cast<v1::Run::State>(9));
  runs[0].mutable_create_time()->set_seconds(std::numeric_limits<int64_t>::max());
  runs[0].mutable_result()->set_verdict(static_cast<v1::Verdict>(99));
  EXPECT_NE(
      RunsTable(runs, -5).find(std::string(128, 'x') + "...           unknown (9)  0 s  unknown (99)\n"),
      std::string::npos)
      << RunsTable(runs, -5);
}

TEST(PsCommandTest, RunsAreNamedWithOrWithoutTheirPrefix) {
  EXPECT_EQ(RunName("abc"), "runs/abc");
  EXPECT_EQ(RunName("runs/abc"), "runs/abc");
}

}  // namespace
}  // namespace caisson::cli
