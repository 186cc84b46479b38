#include "cli/top_text.h"

#include <gtest/gtest.h>

#include <string>

namespace caisson::cli {
namespace {

v1::Run RunOf(const std::string& name, const std::string& tenant, v1::Run::State state, int64_t created) {
  v1::Run run;
  run.set_name("runs/" + name);
  run.set_tenant(tenant);
  run.set_profile("python");
  run.set_state(state);
  run.mutable_create_time()->set_seconds(created);
  return run;
}

TopView View() {
  TopView view;
  view.address = "unix:/run/x.sock";
  view.info.set_version("1.2.3");
  view.info.set_role("operator");
  view.info.set_max_runs(64);
  view.info.set_queue_length(256);
  view.info.set_runs_active(2);
  view.info.set_runs_queued(1);
  view.info.set_memory_budget_bytes((3ULL << 30U) - 1);
  view.runs = {RunOf("new", "web", v1::Run::QUEUED, 1090), RunOf("old", "ci", v1::Run::RUNNING, 940),
               RunOf("mid", "web", v1::Run::PREPARING, 1040)};
  return view;
}

TEST(TopTextTest, PictureHasServerTenantsAndRunsOldestFirst) {
  EXPECT_EQ(TopText(View(), 1100, {}),
            "caissond 1.2.3 at unix:/run/x.sock, as operator\n"
            "active 2 (room for 64), waiting 1 (room for 256), memory for runs 2.9 GiB\n"
            "\n"
            "TENANT  RUNNING  PREPARING  QUEUED\n"
            "ci      1        0          0\n"
            "web     0        1          1\n"
            "\n"
            "NAME      TENANT  PROFILE  STATE      AGE\n"
            "runs/old  ci      python   RUNNING    2 min\n"
            "runs/mid  web     python   PREPARING  1 min\n"
            "runs/new  web     python   QUEUED     10 s\n");
}

TEST(TopTextTest, NothingLiveIsSaid) {
  TopView view = View();
  view.runs.clear();
  view.info.set_tenant("web");
  const std::string text = TopText(view, 1100, {});
  EXPECT_NE(text.find(", as tenant web\n"), std::string::npos) << text;
  EXPECT_NE(text.find("\nno run is live\n"), std::string::npos) << text;
}

TEST(TopTextTest, FailedLookIsSaidAboveTheOldPicture) {
  TopView view = View();
  view.trouble = "no server\x1b[2J";
  EXPECT_NE(TopText(view, 1100, {}).find("\n! no server\\x1b[2J\n\nTENANT"), std::string::npos)
      << TopText(view, 1100, {});
}

TEST(TopTextTest, PictureIsNeverWiderOrHigherThanTheTerminal) {
  TopView view = View();
  view.runs[0].set_profile("grüngrüngrüngrün");
  for (uint32_t rows = 1; rows < 14; ++rows) {
    for (uint32_t columns = 1; columns < 90; ++columns) {
      const std::string text = TopText(view, 1100, {rows, columns});
      uint32_t lines = 0;
      for (size_t at = 0; at < text.size(); at = text.find('\n', at) + 1) {
        const std::string line = text.substr(at, text.find('\n', at) - at);
        EXPECT_TRUE(line.size() <= columns || line == "…") << line;
        EXPECT_TRUE(line.empty() || (static_cast<uint8_t>(line.back()) & 0xC0U) != 0xC0U) << line;
        ++lines;
      }
      EXPECT_LE(lines, rows);
    }
  }
}

TEST(TopTextTest, WhatDoesNotFitIsTold) {
  const std::string text = TopText(View(), 1100, {9, 100});
  EXPECT_EQ(text.substr(text.size() - 4), "…\n");
}

TEST(TopTextTest, ForeignNamesCannotDriveTheTerminal) {
  TopView view = View();
  view.runs[0].set_tenant("a\x1b]0;x\x07\n");
  const std::string text = TopText(view, 1100, {});
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_NE(text.find("a\\x1b]0;x\\x07\\x0a"), std::string::npos) << text;
}

}  // namespace
}  // namespace caisson::cli
