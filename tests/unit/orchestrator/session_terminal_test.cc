// A run with a terminal: it is a real one, the run's own, and the only one. The test holds the master, as the
// dispatcher does, and talks to a Python program.
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>

#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "session_support.h"

namespace caisson::orchestrator {
namespace {

using ipc::PreparedFd;
using ipc::Verdict;

class TerminalTest : public SessionTest {
 protected:
  // What is done once the screen has shown a text.
  struct Turn {
    std::string after;
    std::function<void(int master)> then;
  };

  static std::function<void(int)> Type(const std::string& text) {
    return [text](int master) {
      EXPECT_EQ(write(master, text.data(), text.size()), static_cast<ssize_t>(text.size()));
    };
  }
  static std::function<void(int)> Resize(unsigned short rows, unsigned short columns) {
    return [rows, columns](int master) {
      const winsize size{rows, columns, 0, 0};
      EXPECT_EQ(ioctl(master, TIOCSWINSZ, &size), 0);
    };
  }

  // Everything the program showed, in one conversation.
  std::string Talk(const std::string& program, std::vector<Turn> turns = {}) {
    wants_terminal_ = true;
    std::string screen;
    std::thread reader;
    const auto read_on = [&] {
      reader = std::thread([&screen, &turns, master = Pipe(PreparedFd::kStdout)] {
        size_t turn = 0;
        size_t seen = 0;
        std::string buffer(4096, '\0');
        // EIO is the end: nobody holds the terminal any more.
        for (ssize_t got = 0; (got = read(master, buffer.data(), buffer.size())) > 0;) {
          screen.append(buffer, 0, static_cast<size_t>(got));
          for (size_t at = 0; turn < turns.size(); ++turn) {
            at = screen.find(turns[turn].after, seen);
            if (at == std::string::npos) {
              break;
            }
            seen = at + turns[turn].after.size();
            turns[turn].then(master);
          }
        }
        EXPECT_EQ(errno, EIO);
        EXPECT_EQ(turn, turns.size()) << "it never came to the last turn: " << screen;
      });
    };
    Run(program, 0, {.prepared = {}, .started = read_on});
    reader.join();
    return screen;
  }
};

TEST_F(TerminalTest, AllThreeStreamsAreTheControllingTerminal) {
  const std::string screen = Talk(R"(
import os, sys
print([os.isatty(fd) for fd in (0, 1, 2)], os.ttyname(0), os.getsid(0) == os.getpid())
print(os.tcgetpgrp(0) == os.getpgrp(), os.stat("/dev/pts/0").st_uid, oct(os.stat("/dev/pts/0").st_mode & 0o777))
with open("/dev/tty", "r+b", buffering=0) as tty:
    tty.write(b"by another name\n")
with open("/proc/self/fd/1", "wb", buffering=0) as tty:
    tty.write(b"reopened\n")
print("and", "the", "error", file=sys.stderr)
)");
  EXPECT_EQ(screen,
            "[True, True, True] /dev/pts/0 True\r\nTrue 1000 0o620\r\nby another name\r\nreopened\r\n"
            "and the error\r\n");
  EXPECT_EQ(finished_->verdict, Verdict::kCompleted);
  EXPECT_EQ(ReadToEnd(Pipe(PreparedFd::kStderr)), "");
}

TEST_F(TerminalTest, LinesAreEchoedErasedAndEndedByControlD) {
  const std::string screen = Talk(
      "print('name?', flush=True)\nprint('hello', input())\n"
      "import sys\nprint(repr(sys.stdin.read()))\n",
      {{"name?", Type("wx\x7forld\n")}, {"hello world", Type("\x04")}});
  EXPECT_NE(screen.find("hello world\r\n"), std::string::npos) << screen;
  EXPECT_NE(screen.find("''\r\n"), std::string::npos) << screen;
  EXPECT_EQ(finished_->verdict, Verdict::kCompleted);
}

TEST_F(TerminalTest, ControlCInterrupts) {
  const std::string screen = Talk("print('busy', flush=True)\nwhile True: pass\n", {{"busy", Type("\x03")}});
  EXPECT_NE(screen.find("KeyboardInterrupt"), std::string::npos) << screen;
  EXPECT_EQ(finished_->term_signal, SIGINT);
}

TEST_F(TerminalTest, ASizeIsSeenAndAChangeIsTold) {
  const std::string screen = Talk(R"(
import os, signal
def resized(*_):
    os.write(1, b"now %d, %d" % tuple(os.get_terminal_size()))
    raise SystemExit
signal.signal(signal.SIGWINCH, resized)
os.write(1, b"ready")  # Not print(): the signal may come within it, and its buffer takes one writer at a time.
while True:
    pass
)",
                                  {{"ready", Resize(33, 99)}});
  EXPECT_NE(screen.find("now 99, 33"), std::string::npos) << screen;
  EXPECT_EQ(finished_->verdict, Verdict::kCompleted);
}

// What a shell does: the job gets a process group of its own, the terminal, and Control-C; the shell gets it
// back.
TEST_F(TerminalTest, AForegroundJobGetsTheTerminalAndControlC) {
  const std::string screen = Talk(R"(
import os, signal, sys
signal.signal(signal.SIGTTOU, signal.SIG_IGN)
job = os.fork()
if job == 0:
    os.setpgid(0, 0)
    os.tcsetpgrp(0, os.getpgrp())
    signal.signal(signal.SIGTTOU, signal.SIG_DFL)
    print("job", flush=True)
    while True: pass
_, status = os.waitpid(job, 0)
os.tcsetpgrp(0, os.getpgrp())
print("ended by", os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status), flush=True)
print("line", input())
)",
                                  {{"job", Type("\x03")}, {"ended by 2", Type("again mine\n")}});
  EXPECT_NE(screen.find("line again mine"), std::string::npos) << screen;
  EXPECT_EQ(finished_->verdict, Verdict::kCompleted);
}

// EIO at the master is the end of the run's output, so it may not come earlier: whoever reads stops there.
TEST_F(TerminalTest, AProgramThatLetsGoOfItsTerminalCanTakeItAgain) {
  const std::string screen = Talk(R"(
import os, time
for fd in (0, 1, 2):
    os.close(fd)
time.sleep(0.3)
fd = os.open("/dev/tty", os.O_RDWR)
os.write(fd, b"name?")
os.write(fd, b"hello " + os.read(fd, 100))
)",
                                  {{"name?", Type("world\n")}});
  EXPECT_NE(screen.find("hello world\r\n"), std::string::npos) << screen;
  EXPECT_EQ(finished_->verdict, Verdict::kCompleted);
}

// init has the slave as well, but the payload's session only gets what the terminal sends.
TEST_F(TerminalTest, AHangUpByThePayloadEndsNobodyButThePayload) {
  Talk(R"(
import fcntl, os, signal, termios
signal.signal(signal.SIGHUP, signal.SIG_IGN)
fcntl.ioctl(0, termios.TIOCNOTTY)
os._exit(5)
)");
  EXPECT_EQ(finished_->verdict, Verdict::kCompleted);
  EXPECT_EQ(finished_->exit_code, 5);
}

TEST_F(TerminalTest, RawModeAndBack) {
  const std::string screen = Talk(R"(
import os, termios, tty
before = termios.tcgetattr(0)
tty.setraw(0)
os.write(1, b"key?")
key = os.read(0, 1)
termios.tcsetattr(0, termios.TCSADRAIN, before)
termios.tcflush(0, termios.TCIOFLUSH)
print(key)
)",
                                  {{"key?", Type("\x03")}});
  EXPECT_NE(screen.find("b'\\x03'"), std::string::npos) << screen;
  EXPECT_EQ(finished_->verdict, Verdict::kCompleted);
}

TEST_F(TerminalTest, MoreOutputThanTheTerminalHoldsArrivesWhole) {
  const std::string screen = Talk("import os\nfor i in range(20000): print(f'line {i}')\nos._exit(0)\n");
  size_t lines = 0;
  for (size_t at = 0; (at = screen.find("\r\n", at)) != std::string::npos; at += 2) {
    ++lines;
  }
  EXPECT_EQ(lines, 20'000U);
  EXPECT_NE(screen.find("line 19999\r\n"), std::string::npos);
}

TEST_F(TerminalTest, ThereIsNoSecondTerminalAndNothingToTypeWith) {
  const std::string screen = Talk(R"(
import errno, fcntl, os
def tries(what, attempt):
    try:
        attempt()
        print(what, "went through")
    except OSError as error:
        print(what, errno.errorcode[error.errno])
tries("openpty", os.openpty)
tries("ptmx", lambda: os.open("/dev/pts/ptmx", os.O_RDWR))
tries("ptmx read", lambda: os.open("/dev/pts/ptmx", os.O_RDONLY))
tries("console", lambda: os.open("/dev/console", os.O_RDWR))
tries("tty0", lambda: os.open("/dev/tty0", os.O_RDWR))
for name, request in (("TIOCSTI", 0x5412), ("TIOCLINUX", 0x541C), ("TIOCSETD", 0x5423),
                      ("TIOCCONS", 0x541D), ("TIOCEXCL", 0x540C), ("TIOCPKT", 0x5420), ("TIOCGPTPEER", 0x5441)):
    tries(name, lambda: fcntl.ioctl(0, request, b"x"))
print(sorted(os.listdir("/dev/pts")))
)");
  for (const char* line : {"ptmx EACCES", "ptmx read EACCES", "console ENOENT", "tty0 ENOENT",
                           "TIOCSTI ENOTTY", "TIOCLINUX ENOTTY", "TIOCSETD ENOTTY", "TIOCCONS ENOTTY",
                           "TIOCEXCL ENOTTY", "TIOCPKT ENOTTY", "TIOCGPTPEER ENOTTY", "['0', 'ptmx']"}) {
    EXPECT_NE(screen.find(std::string(line) + "\r\n"), std::string::npos) << line << "\n" << screen;
  }
  EXPECT_EQ(screen.find("went through"), std::string::npos) << screen;
}

TEST_F(TerminalTest, TheIsolationReportHoldsAndTheFilterIsAnother) {
  Talk("print('x')");
  const ipc::IsolationReport with = isolation_;
  wants_terminal_ = false;
  Run("print('x')", 0);
  EXPECT_EQ(with.mounts, isolation_.mounts);
  EXPECT_EQ(with.mount_count, isolation_.mount_count + 1);
  EXPECT_NE(with.filter_digest, isolation_.filter_digest);
}

TEST_F(TerminalTest, WithoutOneThereIsNeitherPtsNorTty) {
  Run("import os\nprint(os.path.exists('/dev/pts'), os.path.exists('/dev/tty'), os.isatty(0))\n", 0);
  EXPECT_EQ(ReadToEnd(Pipe(PreparedFd::kStdout)), "False False False\n");
}

}  // namespace
}  // namespace caisson::orchestrator
