// What issue and roadmap want a run to cost, beside what was reached and what no sandbox can go below.
#ifndef CAISSON_BENCH_GOALS_H_
#define CAISSON_BENCH_GOALS_H_

#include <string>
#include <vector>

#include "bench/report.h"

namespace caisson::bench {

struct GoalRow {
  std::string name;
  double goal = 0;
  double reached = 0;
  double limit = 0;  // of the floor (floor.h), in the same rounds; 0: not measured
  bool met = false;
};

// A row for each goal whose work was measured.
std::vector<GoalRow> JudgeGoals(const Report& report);

}  // namespace caisson::bench

#endif  // CAISSON_BENCH_GOALS_H_
