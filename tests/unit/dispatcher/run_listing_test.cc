#include "dispatcher/run_listing.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "common/status.h"

namespace caisson::dispatcher {
namespace {

v1::Run Named(const std::string& name, v1::Run::State state = v1::Run::RUNNING) {
  v1::Run run;
  run.set_name(name);
  run.set_state(state);
  return run;
}

// Stored runs with these keys, each with its name.
ReadStored Stored(std::vector<std::pair<RunKey, v1::Run>> runs) {
  return [runs = std::move(runs)](RunKey before, size_t most) {
    std::vector<StoredRun> found;
    for (auto at = runs.rbegin(); at != runs.rend() && found.size() < most; ++at) {
      if (at->first < before) {
        found.push_back({at->first, at->first, {}, "", at->second});
      }
    }
    return absl::StatusOr<std::vector<StoredRun>>(found);
  };
}

std::vector<std::string> Names(const v1::ListRunsResponse& page) {
  std::vector<std::string> names;
  for (const v1::Run& run : page.runs()) {
    names.push_back(run.name());
  }
  return names;
}

v1::ListRunsResponse Page(const LiveRuns& live, const ReadStored& stored, size_t size, RunKey before = 0,
                          const std::string& filter = "") {
  ListingRequest request;
  request.before = before;
  request.size = size;
  request.filter = *RunFilter::Parse(filter);
  absl::StatusOr<v1::ListRunsResponse> page = BuildPage(request, live, stored);
  EXPECT_TRUE(page.ok()) << Message(page.status());
  return page.ok() ? *page : v1::ListRunsResponse();
}

TEST(RunListingTest, PagesAreNewestFirstAndStableWhileRunsAreAdded) {
  LiveRuns live;
  for (RunKey key = 1; key <= 5; ++key) {
    live.emplace(key, Named("r" + std::to_string(key)));
  }
  const v1::ListRunsResponse first = Page(live, Stored({}), 2);
  EXPECT_EQ(Names(first), (std::vector<std::string>{"r5", "r4"}));
  live.emplace(6, Named("r6"));
  const v1::ListRunsResponse second = Page(live, Stored({}), 2, std::stoull(first.next_page_token()));
  EXPECT_EQ(Names(second), (std::vector<std::string>{"r3", "r2"}));
  const v1::ListRunsResponse third = Page(live, Stored({}), 2, std::stoull(second.next_page_token()));
  EXPECT_EQ(Names(third), std::vector<std::string>{"r1"});
  EXPECT_EQ(third.next_page_token(), "");
}

TEST(RunListingTest, PageTokensCountTheTenantsOwnRunsOnly) {
  // Keys 10 and 30 of a tenant, whose numbers are 1 and 2; what others did in between tells nobody.
  const auto stored = [](uint64_t before, size_t /*most*/) {
    std::vector<StoredRun> found;
    for (uint64_t number = 2; number >= 1; --number) {
      if (number < before) {
        found.push_back({20 * number - 10, number, {}, "", Named("r" + std::to_string(number))});
      }
    }
    return absl::StatusOr<std::vector<StoredRun>>(found);
  };
  ListingRequest request;
  request.size = 2;
  const v1::ListRunsResponse first = *BuildPage(request, {{3, Named("live")}}, stored);
  EXPECT_EQ(Names(first), (std::vector<std::string>{"live", "r2"}));
  EXPECT_EQ(first.next_page_token(), "2");
  request.before = 2;
  EXPECT_EQ(Names(*BuildPage(request, {{3, Named("live")}}, stored)), std::vector<std::string>{"r1"});
}

TEST(RunListingTest, AnOperatorsPageTokensCountEverybodys) {
  const auto stored = [](uint64_t before, size_t /*most*/) {
    std::vector<StoredRun> found;
    for (const RunKey key : {RunKey{30}, RunKey{10}}) {
      if (key < before) {
        found.push_back({key, 1, {}, "", Named("r" + std::to_string(key))});  // each the first of its tenant
      }
    }
    return absl::StatusOr<std::vector<StoredRun>>(found);
  };
  ListingRequest request;
  request.caller.role = Role::kOperator;
  request.size = 1;
  const v1::ListRunsResponse first = *BuildPage(request, {}, stored);
  EXPECT_EQ(Names(first), std::vector<std::string>{"r30"});
  EXPECT_EQ(first.next_page_token(), "30");
}

TEST(RunListingTest, AnExactPageHasNoNext) {
  EXPECT_EQ(Page({{1, Named("r1")}, {2, Named("r2")}}, Stored({}), 2).next_page_token(), "");
  EXPECT_EQ(Page({}, Stored({{1, Named("r1")}, {2, Named("r2")}}), 2).next_page_token(), "");
}

TEST(RunListingTest, PagesOfLargeResultsAreShort) {
  LiveRuns live;
  for (RunKey key = 1; key <= 3; ++key) {
    v1::Run run = Named("r" + std::to_string(key));
    run.mutable_result()->set_message(std::string(1024UL * 1024, 'm'));
    live.emplace(key, run);
  }
  const v1::ListRunsResponse first = Page(live, Stored({}), 50);
  EXPECT_EQ(Names(first), std::vector<std::string>{"r3"});
  EXPECT_EQ(Names(Page(live, Stored({}), 50, std::stoull(first.next_page_token()))),
            std::vector<std::string>{"r2"});
}

TEST(RunListingTest, MemoryAndDiskAreOneListAndEachRunStandsInItOnce) {
  const LiveRuns live = {{3, Named("r3")}, {6, Named("r6")}, {7, Named("r7")}};
  const ReadStored stored = Stored({{1, Named("r1")},
                                    {3, Named("old", v1::Run::QUEUED)},
                                    {4, Named("r4")},
                                    {6, Named("end", v1::Run::FINISHED)}});
  EXPECT_EQ(Names(Page(live, stored, 50)), (std::vector<std::string>{"r7", "end", "r4", "r3", "r1"}))
      << "memory knows more of a run in flight, the disk of one that has ended";
}

TEST(RunListingTest, StoredRunsComeInAsManyReadsAsItTakes) {
  std::vector<std::pair<RunKey, v1::Run>> runs;
  for (RunKey key = 1; key <= 950; ++key) {
    runs.emplace_back(key, Named("r" + std::to_string(key)));
  }
  const v1::ListRunsResponse page = Page({{951, Named("live")}}, Stored(runs), 1000);
  ASSERT_EQ(page.runs_size(), 951);
  EXPECT_EQ(page.runs(0).name(), "live");
  EXPECT_EQ(page.runs(950).name(), "r1");
  EXPECT_EQ(page.next_page_token(), "");
}

TEST(RunListingTest, APageLooksAtABoundedNumberOfRunsAndTheNextGoesOn) {
  std::vector<std::pair<RunKey, v1::Run>> runs;
  for (RunKey key = 1; key <= kMaxRunsLookedAt + 1; ++key) {
    runs.emplace_back(key, Named("r" + std::to_string(key), key == 1 ? v1::Run::FINISHED : v1::Run::RUNNING));
  }
  const v1::ListRunsResponse first = Page({}, Stored(runs), 50, 0, "state = FINISHED");
  EXPECT_EQ(first.runs_size(), 0);
  ASSERT_NE(first.next_page_token(), "");
  EXPECT_EQ(Names(Page({}, Stored(runs), 50, std::stoull(first.next_page_token()), "state = FINISHED")),
            std::vector<std::string>{"r1"});
}

}  // namespace
}  // namespace caisson::dispatcher
