// Runs in caisson-init, in the run's user namespace, before the stub exists. Nothing here is a client's.
#include "sandbox/init/streams.h"

#include <asm/ioctls.h>
#include <asm/termbits.h>
#include <linux/fcntl.h>

#include "sandbox/init/syscall.h"

namespace caisson::init {
namespace {

using sandbox::SetupStage;

struct Pipe {
  int read;
  int write;
};

Pipe MakePipe(long flags, const Progress& progress) {
  int ends[2] = {-1, -1};
  progress.Must(Syscall(__NR_pipe2, Address(ends), flags));
  return {ends[0], ends[1]};
}

// A pipe whose `inner` end becomes descriptor `number` and may be reopened by the payload through
// /proc/self/fd.
int MakeStdio(int number, bool payload_reads, const Progress& progress) {
  const Pipe pipe = MakePipe(O_CLOEXEC, progress);
  const int inner = payload_reads ? pipe.read : pipe.write;
  progress.Must(Syscall(__NR_fchmod, inner, 0666));
  progress.Must(Syscall(__NR_dup2, inner, number));
  Close(inner);
  return payload_reads ? pipe.write : pipe.read;
}

// The slave comes from the master, not by its name, so no mode of it matters; the stub makes it its
// controlling terminal. UTF-8 is what every profile's LANG says: the line discipline then erases whole
// characters.
void MakeTerminal(OuterEnds& outer, Descriptors& fds, Progress& progress) {
  progress.Enter(SetupStage::kTerminal);
  const long master =
      progress.Must(Syscall(__NR_open, Address("/dev/pts/ptmx"), O_RDWR | O_NOCTTY | O_CLOEXEC));
  const int unlocked = 0;
  progress.Must(Syscall(__NR_ioctl, master, TIOCSPTLCK, Address(&unlocked)));
  const long slave = progress.Must(Syscall(__NR_ioctl, master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
  termios settings{};
  progress.Must(Syscall(__NR_ioctl, slave, TCGETS, Address(&settings)));
  settings.c_iflag |= IUTF8;
  progress.Must(Syscall(__NR_ioctl, slave, TCSETS, Address(&settings)));
  for (int number = 0; number <= 2; ++number) {
    progress.Must(Syscall(__NR_dup2, slave, number));
  }
  Close(static_cast<int>(slave));
  outer.fds[0] = static_cast<int>(master);
  outer.fds[1] = static_cast<int>(progress.Must(Syscall(__NR_fcntl, master, F_DUPFD_CLOEXEC, 3)));
  const Pipe error = MakePipe(O_CLOEXEC, progress);
  Close(error.write);
  outer.fds[2] = error.read;
  fds.terminal = 0;
}

}  // namespace

OuterEnds MakeStreams(bool terminal, Descriptors& fds, Progress& progress) {
  OuterEnds outer{};
  fds.terminal = -1;
  if (terminal) {
    MakeTerminal(outer, fds, progress);
  }
  progress.Enter(SetupStage::kPipes);
  if (!terminal) {
    outer.fds[0] = MakeStdio(0, true, progress);
    outer.fds[1] = MakeStdio(1, false, progress);
    outer.fds[2] = MakeStdio(2, false, progress);
  }
  const Pipe events = MakePipe(O_CLOEXEC | O_NONBLOCK, progress);
  outer.fds[3] = events.read;
  fds.events_write = events.write;
  const Pipe outputs = MakePipe(O_CLOEXEC, progress);
  outer.fds[4] = outputs.read;
  fds.outputs_write = outputs.write;
  const Pipe error = MakePipe(O_CLOEXEC | O_NONBLOCK, progress);
  fds.error_read = error.read;
  fds.error_write = error.write;
  const Pipe go = MakePipe(O_CLOEXEC, progress);
  fds.go_read = go.read;
  fds.go_write = go.write;
  return outer;
}

}  // namespace caisson::init
