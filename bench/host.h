// On what it was measured; a number without that says nothing.
#ifndef CAISSON_BENCH_HOST_H_
#define CAISSON_BENCH_HOST_H_

#include <string>

namespace caisson::bench {

struct Host {
  std::string processor;
  int cpus = 0;
  std::string kernel;
  std::string time;  // UTC
};

Host ReadHost();

// "2.05 1.80 1.20": runnable tasks on average over 1, 5 and 15 minutes. Empty when it cannot be read.
std::string ReadLoad();

}  // namespace caisson::bench

#endif  // CAISSON_BENCH_HOST_H_
