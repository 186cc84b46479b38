// Run by the builder process as root. Input: the answer of an init that serves no run.
#include "sandbox/root_template.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <span>
#include <string>

#include "common/files.h"
#include "common/packet_socket.h"
#include "common/status.h"
#include "sandbox/control_messages.h"

namespace caisson::sandbox {
namespace {

constexpr int kMostMillis = 10'000;

absl::Status NotOurs() { return absl::InternalError("init answered something else"); }

absl::Status AwaitTemplate(int control, SetupStage& stage) {
  pollfd answer{control, POLLIN, 0};
  int ready = 0;
  do {
    ready = poll(&answer, 1, kMostMillis);
  } while (ready < 0 && errno == EINTR);
  if (ready <= 0) {
    return ErrnoStatus(ready < 0 ? errno : ETIMEDOUT, "wait for it");
  }
  ASSIGN_OR_RETURN(const Packet packet, ReceivePacket(control));
  FailedMessage failed{};
  if (packet.bytes.size() == sizeof failed) {
    std::memcpy(&failed, packet.bytes.data(), sizeof failed);
    stage = failed.record.stage;
    return ErrnoStatus(failed.record.error_number, "record " + std::to_string(failed.record.index));
  }
  TemplateStandsMessage stands{};
  if (packet.bytes.size() != sizeof stands) {
    return NotOurs();
  }
  std::memcpy(&stands, packet.bytes.data(), sizeof stands);
  return stands.magic == kControlMagic && stands.type == ControlType::kTemplateStands ? absl::OkStatus()
                                                                                      : NotOurs();
}

absl::StatusOr<RootTemplate> Build(Spawner& spawner, int plan, SetupStage& stage, StartedChild& init) {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return ErrnoStatus(errno, "socketpair");
  }
  const UniqueFd control(ends[0]);
  UniqueFd inits(ends[1]);
  SetupMessage order{};
  order.magic = kControlMagic;
  order.type = ControlType::kTemplate;
  RETURN_IF_ERROR(SendPacket(control.get(), std::as_bytes(std::span(&order, 1))));
  RETURN_IF_ERROR(spawner.SpawnTemplateBuilder(inits.get(), plan, stage, init));
  inits.reset();  // So that init's end is heard.
  stage = SetupStage::kTemplate;
  RETURN_IF_ERROR(AwaitTemplate(control.get(), stage));
  RootTemplate built;
  ASSIGN_OR_RETURN(built.mounts, OpenFile("/proc/" + std::to_string(init.pid) + "/ns/mnt", O_RDONLY));
  struct stat info {};
  if (fstat(built.mounts.get(), &info) != 0) {
    return ErrnoStatus(errno, "stat its namespace");
  }
  built.inode = info.st_ino;
  return built;
}

}  // namespace

absl::StatusOr<RootTemplate> BuildRootTemplate(Spawner& spawner, int plan, SetupStage& stage) {
  stage = SetupStage::kTemplate;
  StartedChild init;
  absl::StatusOr<RootTemplate> built = Build(spawner, plan, stage, init);
  if (init.process.valid()) {
    RETURN_IF_ERROR(init.process.Kill(SIGKILL));
    RETURN_IF_ERROR(init.process.Reap().status());
  }
  if (!built.ok()) {
    return Prefix(built.status(), "build the template of the root");
  }
  return built;
}

}  // namespace caisson::sandbox
