// The lockdown cannot be undone, so each test runs it in a process of its own.
#include "dispatcher/self_lockdown.h"

#include <fcntl.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "common/status.h"
#include "dispatcher/run_store.h"

namespace caisson::dispatcher {
namespace {

constexpr uid_t kNobody = 65534;

class SelfLockdownTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "caisson-lockdown-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
    ASSERT_EQ(chmod(directory_.c_str(), 0777), 0);
  }
  void TearDown() override {
    unlink((directory_ + "/s").c_str());
    rmdir(directory_.c_str());
  }

  // The wait status of a child that becomes an ordinary user, locks itself down, and runs `body`, whose value
  // is its exit code. 100 and above: the lockdown failed.
  // `open_first` runs between its two steps and returns the descriptor of the spool.
  int RunLocked(
      const std::function<int()>& body, const std::function<int()>& open_first = [] { return -1; }) {
    const pid_t child = fork();
    if (child == 0) {
      if (getuid() == 0 && (setgroups(0, nullptr) != 0 || setresgid(kNobody, kNobody, kNobody) != 0 ||
                            setresuid(kNobody, kNobody, kNobody) != 0)) {
        _exit(101);
      }
      absl::Status status = LockDownToRecords({directory_}, directory_);
      if (status.ok()) {
        status = LockDown({directory_}, open_first());
      }
      if (!status.ok()) {
        std::fprintf(stderr, "%s\n", Message(status).c_str());
        _exit(100);
      }
      _exit(body());
    }
    int status = -1;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    return status;
  }

  static int Errno(long result) { return result < 0 ? errno : 0; }

  std::string directory_;
};

TEST_F(SelfLockdownTest, SocketsCanBeMadeAndRemovedInTheDirectoryOnly) {
  const int status = RunLocked([this] {
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = directory_ + "/s";
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    // SAFETY: the sockets API's own cast.
    const int bound = bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
    if (bound != 0 || listen(fd, 1) != 0) {
      return 1;
    }
    return unlink(path.c_str()) == 0 ? 0 : 2;
  });
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST_F(SelfLockdownTest, FilesCannotBeOpened) {
  const int status = RunLocked([this] {
    if (Errno(open("/etc/passwd", O_RDONLY)) != EACCES) {
      return 1;
    }
    if (Errno(open((directory_ + "/f").c_str(), O_CREAT | O_WRONLY, 0600)) != EPERM) {
      return 2;
    }
    return Errno(open("/", O_RDONLY | O_DIRECTORY)) == EACCES ? 0 : 3;
  });
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

// Everything that is stored, with the calls it really makes: thousands of pages of log, so that SQLite copies
// them into the database; making, settling and removing spools.
TEST_F(SelfLockdownTest, RecordsAndSpoolsWorkBehindTheLockdown) {
  uint8_t seeded = 0;  // as the program does: SQLite reads it from a file
  sqlite3_randomness(sizeof seeded, &seeded);
  std::unique_ptr<RunStore> store;
  const auto open_first = [&] {
    absl::StatusOr<std::unique_ptr<RunStore>> opened = RunStore::Open(directory_, {64ULL << 20U, 60'000});
    if (!opened.ok()) {
      std::fprintf(stderr, "%s\n", Message(opened.status()).c_str());
      return -1;
    }
    store = *std::move(opened);
    return store->spool().directory_fd();
  };
  const auto body = [&] {
    for (RunKey key = 1; key <= 200; ++key) {
      NewRecord record;
      record.key = key;
      record.id = NewRunId();
      record.run.set_name(RunName(record.id));
      record.run.set_followable(true);
      record.run.mutable_result()->set_message(std::string(20'000, 'm'));
      SpoolSizes room{};
      room.at(static_cast<size_t>(SpoolPart::kStdout)) = 1UL << 20U;
      if (!store->Begin(RecordStore::Durability::kPower).ok() || !store->Create(record, room).ok() ||
          !store->Commit().ok()) {
        return 1;
      }
      if (!store->spool().Write(record.id, SpoolPart::kStdout, 0, std::string(1000, 'o')).ok()) {
        return 2;
      }
      record.run.set_state(v1::Run::FINISHED);
      if (!store->Begin(RecordStore::Durability::kProcess).ok() || !store->Finish(record).ok() ||
          !store->Commit().ok()) {
        return 3;
      }
      if (key % 2 == 0 && (!store->Begin(RecordStore::Durability::kProcess).ok() ||
                           !store->Forget(key, record.id).ok() || !store->Commit().ok())) {
        return 4;
      }
    }
    const absl::StatusOr<RecordUsage> usage = store->records().Usage(TenantId());
    if (!usage.ok() || usage->records != 100) {
      return 5;
    }
    // No file but those of the spool, and no directory.
    return Errno(open((directory_ + "/records.db").c_str(), O_RDONLY)) == EACCES &&
                   Errno(openat(store->spool().directory_fd(), "../f", O_RDWR | O_CREAT, 0600)) == EACCES &&
                   Errno(mkdirat(store->spool().directory_fd(), "d", 0700)) == EPERM
               ? 0
               : 6;
  };
  const int status = RunLocked(body, open_first);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  std::filesystem::remove_all(directory_);
}

// What lies in the directory may be the work of somebody who had the dispatcher before: whoever reads it has
// little already.
TEST_F(SelfLockdownTest, TheRecordsAreOpenedBehindAFirstLockdown) {
  int step = 0;
  const auto open_first = [&] {
    const auto check = [&step](bool holds) {
      ++step;
      if (!holds) {
        _exit(50 + step);
      }
    };
    check(Errno(open("/etc/passwd", O_RDONLY)) == EACCES);
    check(Errno(open("/tmp/caisson-none", O_RDWR | O_CREAT, 0600)) == EACCES);
    check(Errno(mkdir((directory_ + "/../caisson-none").c_str(), 0700)) == EACCES);
    check(Errno(socket(AF_INET, SOCK_STREAM, 0)) == EPERM);
    check(Errno(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0)) == EPERM);
    check(mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
    return -1;
  };
  const int status = RunLocked([&] { return step == 6 ? 0 : 1; }, open_first);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST_F(SelfLockdownTest, OnlyUnixSocketsAndNoNewConnections) {
  const int status = RunLocked([] {
    if (Errno(socket(AF_INET, SOCK_STREAM, 0)) != EPERM || Errno(socket(AF_NETLINK, SOCK_RAW, 0)) != EPERM) {
      return 1;
    }
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    return Errno(connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address)) == EPERM ? 0 : 2;
  });
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST_F(SelfLockdownTest, ThreadsStillStart) {
  const int status = RunLocked([] {
    // Not std::thread: sanitizers look at its objects by system calls that are locked away.
    int value = 1;
    pthread_t thread{};
    const auto body = [](void* argument) -> void* {
      *static_cast<int*>(argument) = 0;
      return nullptr;
    };
    if (pthread_create(&thread, nullptr, body, &value) != 0 || pthread_join(thread, nullptr) != 0) {
      return 2;
    }
    return value;
  });
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

struct HostileCall {
  const char* name;
  std::function<void()> call;
};

TEST_F(SelfLockdownTest, HostileCallsEndTheProcess) {
  const HostileCall calls[] = {
      {"execve", [] { syscall(SYS_execve, "/bin/true", nullptr, nullptr); }},
      {"fork", [] { syscall(SYS_fork); }},
      {"ptrace", [] { syscall(SYS_ptrace, 0, 0, 0, 0); }},
      {"mount", [] { syscall(SYS_mount, nullptr, nullptr, nullptr, 0, nullptr); }},
      {"bpf", [] { syscall(SYS_bpf, 0, nullptr, 0); }},
      {"unshare", [] { syscall(SYS_unshare, CLONE_NEWUSER); }},
      {"clone into a namespace", [] { syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0); }},
      {"io_uring_setup", [] { syscall(SYS_io_uring_setup, 1, nullptr); }},
  };
  for (const HostileCall& hostile : calls) {
    const int status = RunLocked([&] {
      hostile.call();
      return 0;
    });
    EXPECT_TRUE(WIFSIGNALED(status)) << hostile.name;
    EXPECT_EQ(WTERMSIG(status), SIGSYS) << hostile.name;
  }
}

TEST_F(SelfLockdownTest, NewProcessesAndExecutableMemoryAreRefused) {
  const int status = RunLocked([] {
    if (Errno(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0)) != EPERM) {
      return 1;
    }
    void* page = mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return page == MAP_FAILED && errno == EPERM ? 0 : 2;
  });
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST_F(SelfLockdownTest, RootIsRefused) {
  if (getuid() != 0) {
    GTEST_SKIP() << "needs root";
  }
  EXPECT_TRUE(absl::IsFailedPrecondition(LockDownToRecords({directory_}, directory_)));
}

TEST_F(SelfLockdownTest, ACapabilityIsRefused) {
  if (getuid() != 0) {
    GTEST_SKIP() << "needs root";
  }
  const pid_t child = fork();
  if (child == 0) {
    // Capabilities stay over setresuid with KEEPCAPS.
    if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0 || setresuid(kNobody, kNobody, kNobody) != 0) {
      _exit(101);
    }
    const absl::Status status = LockDownToRecords({directory_}, directory_);
    _exit(absl::IsFailedPrecondition(status) && Message(status).find("CapPrm") != std::string::npos ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace caisson::dispatcher
