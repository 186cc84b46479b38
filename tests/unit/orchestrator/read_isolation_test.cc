// A real process of new namespaces, read from outside. Needs root.
#include <gtest/gtest.h>
#include <linux/sched.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <cstring>

#include "common/files.h"
#include "common/status.h"
#include "orchestrator/isolation_reader.h"
#include "privileged_support.h"

namespace caisson::orchestrator {
namespace {

constexpr uint32_t kHostUid = 1'900'000'001;

int RaiseLoopback() {
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ifreq request{};
  request.ifr_name[0] = 'l';
  request.ifr_name[1] = 'o';
  request.ifr_flags = IFF_UP;
  return fd < 0 ? -1 : ioctl(fd, SIOCSIFFLAGS, &request);
}

// A second address of lo, as 10.1.2.3.
int AddForeignAddress() {
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ifreq request{};
  std::memcpy(request.ifr_name, "lo:1", sizeof "lo:1");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(0x0a010203);
  std::memcpy(&request.ifr_addr, &address, sizeof address);
  return fd < 0 ? -1 : ioctl(fd, SIOCSIFADDR, &request);
}

enum class Network : uint8_t { kNone, kLoopback, kForeignAddress };

// A first process of new namespaces (all but user) with one child of another uid, which waits.
class RealStub {
 public:
  explicit RealStub(Network network) {
    clone_args arguments{};
    arguments.flags =
        CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;
    arguments.exit_signal = SIGCHLD;
    init_ = static_cast<pid_t>(syscall(SYS_clone3, &arguments, sizeof arguments));
    if (init_ == 0) {
      if ((network == Network::kLoopback && RaiseLoopback() != 0) ||
          (network == Network::kForeignAddress && (RaiseLoopback() != 0 || AddForeignAddress() != 0))) {
        _exit(1);
      }
      if (fork() == 0 &&
          (setresgid(kHostUid, kHostUid, kHostUid) != 0 || setresuid(kHostUid, kHostUid, kHostUid) != 0)) {
        _exit(1);
      }
      ready_.Say();
      for (;;) {
        pause();
      }
    }
    heard_ = init_ > 0 && ready_.Hear() && ready_.Hear();
  }
  ~RealStub() {
    if (init_ > 0) {
      kill(init_, SIGKILL);
      WaitFor(init_);
    }
  }
  RealStub(const RealStub&) = delete;
  RealStub& operator=(const RealStub&) = delete;

  pid_t init() const { return init_; }
  pid_t stub() const {
    const std::string pid = std::to_string(init_);
    const auto children = ReadFile("/proc/" + pid + "/task/" + pid + "/children");
    return heard_ && children.ok() ? std::atoi(children->c_str()) : -1;
  }

 private:
  Pipe ready_;
  pid_t init_ = -1;
  bool heard_ = false;
};

TEST(ReadIsolationTest, ReadsARealProcessFromOutside) {
  CAISSON_NEEDS_ROOT();
  const RealStub real(Network::kNone);
  ASSERT_GT(real.stub(), 0);
  const auto report = ReadIsolation(real.stub());
  ASSERT_TRUE(report.ok()) << Message(report.status());
  EXPECT_EQ(report->payload_host_uid, kHostUid);
  EXPECT_EQ(report->payload_host_gid, kHostUid);
  EXPECT_EQ(report->init_host_uid, 0U);
  EXPECT_EQ(report->namespaces, 0x7fU & ~ipc::kNsUser) << "no user namespace was made";
  EXPECT_EQ(report->uid_map_inside, 0U) << "the host's own map reaches root";
  EXPECT_EQ(report->network_interfaces, 0U);
  EXPECT_EQ(report->loopback_up, 0U);
  EXPECT_EQ(report->cap_effective, 0U);
  EXPECT_NE(report->cap_bounding, 0U);
  EXPECT_GT(report->mount_count, 0U);
  EXPECT_FALSE(CheckIsolation(*report, {kHostUid}).ok());
}

TEST(ReadIsolationTest, ATemplateIsNobodysOwnMountNamespace) {
  CAISSON_NEEDS_ROOT();
  const RealStub real(Network::kNone);
  ASSERT_GT(real.stub(), 0);
  struct stat mounts {};
  ASSERT_EQ(stat(("/proc/" + std::to_string(real.stub()) + "/ns/mnt").c_str(), &mounts), 0);
  const auto of_another = ReadIsolation(real.stub(), {.root_template = mounts.st_ino + 1});
  const auto its_own = ReadIsolation(real.stub(), {.root_template = mounts.st_ino});
  ASSERT_TRUE(of_another.ok() && its_own.ok());
  EXPECT_EQ(of_another->namespaces & ~its_own->namespaces, uint32_t{ipc::kNsMount});
}

TEST(ReadIsolationTest, ALoopbackThatIsUpIsSeen) {
  CAISSON_NEEDS_ROOT();
  const RealStub real(Network::kLoopback);
  ASSERT_GT(real.stub(), 0);
  const ipc::IsolationReport report = ReadIsolation(real.stub()).value();
  EXPECT_EQ(report.loopback_up, 1U);
  EXPECT_EQ(report.network_interfaces, 0U);
  EXPECT_EQ(report.network_addresses, 0U);
}

TEST(ReadIsolationTest, AnotherAddressOfTheLoopbackIsSeen) {
  CAISSON_NEEDS_ROOT();
  const RealStub real(Network::kForeignAddress);
  ASSERT_GT(real.stub(), 0);
  EXPECT_GT(ReadIsolation(real.stub()).value().network_addresses, 0U);
}

TEST(ReadIsolationTest, AProcessWhoseParentIsNoInitIsRefused) {
  CAISSON_NEEDS_ROOT();
  const RealStub real(Network::kNone);
  ASSERT_GT(real.init(), 0);
  EXPECT_TRUE(absl::IsFailedPrecondition(ReadIsolation(real.init()).status()));
}

TEST(ReadIsolationTest, AProcessThatIsGoneIsAnError) {
  CAISSON_NEEDS_ROOT();
  pid_t gone = -1;
  {
    const RealStub real(Network::kNone);
    gone = real.stub();
  }
  EXPECT_FALSE(ReadIsolation(gone).ok());
}

}  // namespace
}  // namespace caisson::orchestrator
