// What a written filter answers to a call, without being loaded.
#ifndef CAISSON_TESTS_UNIT_DOOR_FILTER_PROBE_H_
#define CAISSON_TESTS_UNIT_DOOR_FILTER_PROBE_H_

#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <functional>
#include <vector>

#include "absl/status/status.h"
#include "common/drop_privileges.h"
#include "common/unique_fd.h"
#include "policy/bpf_evaluator.h"

namespace caisson::door {

inline constexpr uint32_t kRefused = SECCOMP_RET_ERRNO | EPERM;

inline std::vector<sock_filter> Program(const std::function<absl::Status(int)>& write) {
  const UniqueFd file(memfd_create("filter", MFD_CLOEXEC));
  EXPECT_TRUE(write(file.get()).ok());
  std::vector<sock_filter> program(static_cast<size_t>(lseek(file.get(), 0, SEEK_END)) / sizeof(sock_filter));
  const size_t bytes = program.size() * sizeof(sock_filter);
  EXPECT_EQ(pread(file.get(), program.data(), bytes, 0), static_cast<ssize_t>(bytes));
  return program;
}

inline uint32_t Answer(const std::vector<sock_filter>& program, long number,
                       const std::array<uint64_t, 6>& arguments = {}) {
  seccomp_data data{};
  data.nr = static_cast<int>(number);
  data.arch = AUDIT_ARCH_X86_64;
  for (size_t i = 0; i < arguments.size(); ++i) {
    data.args[i] = arguments.at(i);
  }
  return policy::EvaluateFilter(program, data).value_or(0);
}

// The exit code of a child that becomes an ordinary user, locks itself in by `lock`, and runs `body`; 100
// where that fails, minus the signal that ended it.
inline int RunLocked(const std::function<bool()>& lock, const std::function<int()>& body) {
  const pid_t child = fork();
  if (child == 0) {
    constexpr uid_t kNobody = 65534;
    const bool ready = (getuid() != 0 || DropPrivileges(kNobody, kNobody, {})) && lock();
    _exit(ready ? body() : 100);
  }
  int status = -1;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

}  // namespace caisson::door

#endif  // CAISSON_TESTS_UNIT_DOOR_FILTER_PROBE_H_
