// The shipped filters in the kernel: ordinary programs run under them, with the answers that init would give.
// Needs no privilege: no_new_privs is enough for seccomp(2).
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <new>
#include <string>
#include <vector>

#include "common/unique_fd.h"
#include "filter_support.h"
#include "policy_support.h"

namespace caisson::policy {
namespace {

struct Outcome {
  int wait_status = -1;
  std::string output;
  std::vector<std::string> denied;  // names, in order
  int counted = 0;                  // calls that init would count and let go on
};

// What the child and its parent share.
struct Shared {
  std::atomic<int> listener{-1};
  std::atomic<bool> apart{false};  // the child has a descriptor table of its own
};

// In the child, from seccomp(2) to execve(2), with what the stub does there. Never returns.
[[noreturn]] void RunChild(const CompiledFilter& filter, Shared* shared, int output, char* const* argv,
                           char* const* envp) {
  sock_fprog program{static_cast<unsigned short>(filter.program.size()),
                     const_cast<sock_filter*>(filter.program.data())};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    _exit(250);
  }
  const long listener =
      syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
  if (listener < 0) {
    _exit(251);
  }
  shared->listener.store(static_cast<int>(listener));
  // The descriptor table is shared until here; what the child does to its own must not show in the parent.
  const auto number = static_cast<unsigned int>(listener);
  if (syscall(SYS_close_range, number, number, 2U /* CLOSE_RANGE_UNSHARE */) != 0) {
    _exit(252);
  }
  shared->apart.store(true);
  dup2(output, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
  execve(argv[0], argv, envp);
  _exit(253);
}

void AnswerOne(int listener, const CompiledFilter& filter, Outcome& outcome) {
  seccomp_notif request{};
  if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &request) != 0) {
    return;
  }
  seccomp_notif_resp response{};
  response.id = request.id;
  const auto command = static_cast<uint32_t>(request.data.args[1]);
  if (request.data.nr == SYS_fcntl && command < 64 && (filter.counted_fcntl >> command & 1U) != 0) {
    ++outcome.counted;
    response.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
  } else {
    const int number =
        (static_cast<uint32_t>(request.data.nr) & 0x40000000U) != 0 ? kX32Call : request.data.nr;
    outcome.denied.push_back(SyscallName(number));
    const uint8_t answer = filter.deny_answers.at(static_cast<size_t>(number));
    if (answer == 255) {
      kill(static_cast<pid_t>(request.pid), SIGKILL);
      return;
    }
    response.error = answer == 0 ? -EPERM : -static_cast<int>(answer);
  }
  ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
}

// Runs argv under the filter until it ends and gathers what it printed and was denied.
Outcome RunUnder(const CompiledFilter& filter, std::vector<std::string> argv) {
  std::vector<char*> words;
  words.reserve(argv.size() + 1);
  for (std::string& word : argv) {
    words.push_back(word.data());
  }
  words.push_back(nullptr);
  std::string path = "PATH=/usr/bin:/bin";
  std::array<char*, 2> environment = {path.data(), nullptr};
  void* memory = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  EXPECT_NE(memory, MAP_FAILED);
  auto* shared = new (memory) Shared();
  std::array<int, 2> ends{};
  EXPECT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
  UniqueFd read_end(ends[0]);
  UniqueFd write_end(ends[1]);
  // SAFETY: without CLONE_VM this is a fork that shares the descriptor table; the child makes plain calls
  // only.
  const auto child =
      static_cast<pid_t>(syscall(SYS_clone, CLONE_FILES | SIGCHLD, nullptr, nullptr, nullptr, nullptr));
  if (child == 0) {
    RunChild(filter, shared, write_end.get(), words.data(), environment.data());
  }
  EXPECT_GT(child, 0);
  Outcome outcome;
  // Closing anything before would close it in the child as well.
  while (!shared->apart.load() && waitpid(child, &outcome.wait_status, WNOHANG) == 0) {
    sched_yield();
  }
  write_end.reset();
  UniqueFd listener(shared->listener.load());
  EXPECT_TRUE(listener.valid()) << "child ended with " << WEXITSTATUS(outcome.wait_status);
  std::array<pollfd, 2> waits = {{{read_end.get(), POLLIN, 0}, {listener.get(), POLLIN, 0}}};
  // Every process of the program holds the pipe's write end, so its end of file is the end of them all.
  for (bool open = true; open;) {
    if (poll(waits.data(), waits.size(), 60'000) <= 0) {
      ADD_FAILURE() << "no progress in a minute: " << outcome.output;
      kill(child, SIGKILL);
      break;
    }
    if ((waits[1].revents & POLLIN) != 0) {
      AnswerOne(listener.get(), filter, outcome);
    } else if (waits[0].revents != 0) {
      std::array<char, 4096> buffer{};
      const ssize_t got = read(read_end.get(), buffer.data(), buffer.size());
      outcome.output.append(buffer.data(), static_cast<size_t>(std::max<ssize_t>(got, 0)));
      open = got > 0;
    }
  }
  listener.reset();  // whoever still waits for an answer gets ENOSYS
  EXPECT_EQ(waitpid(child, &outcome.wait_status, 0), child);
  munmap(memory, 4096);
  return outcome;
}

class FilterRuntimeTest : public testing::Test {
 protected:
  void SetUp() override {
    const ProfileSet profiles = ShippedProfiles();
    python_ = Compiled(profiles.at("python").run.filter);
    native_ = Compiled(profiles.at("native").run.filter);
  }
  Outcome Python(const std::string& program) {
    return RunUnder(python_, {"/usr/bin/python3", "-I", "-c", program});
  }
  CompiledFilter python_;
  CompiledFilter native_;
};

void ExpectCleanExit(const Outcome& outcome, const std::string& output) {
  EXPECT_TRUE(WIFEXITED(outcome.wait_status) && WEXITSTATUS(outcome.wait_status) == 0)
      << outcome.wait_status << " " << outcome.output;
  EXPECT_EQ(outcome.output, output);
}

TEST_F(FilterRuntimeTest, PythonSaysHelloWithoutADenial) {
  const Outcome outcome = Python("print('hello')");
  ExpectCleanExit(outcome, "hello\n");
  EXPECT_EQ(outcome.denied, std::vector<std::string>());
}

TEST_F(FilterRuntimeTest, PythonsStandardLibraryRunsWithoutADenial) {
  const TemporaryDirectory directory;
  const Outcome outcome = Python("import os; os.chdir('" + directory.path() + R"(')
import asyncio, fcntl, mmap, multiprocessing, pathlib, select, shutil, signal, socket, sqlite3, subprocess, tarfile
import tempfile, threading, time, resource, concurrent.futures
threads = [threading.Thread(target=time.sleep, args=(0.001,)) for _ in range(4)]
[t.start() for t in threads]; [t.join() for t in threads]
assert subprocess.run('echo shell | cat', shell=True, capture_output=True).stdout == b'shell\n'
p = pathlib.Path('d'); p.mkdir(); (p / 'a').write_text('x' * 100000)
shutil.copy2(p / 'a', p / 'b'); shutil.copytree('d', 'e'); shutil.move('e', 'f')
os.symlink('a', p / 'l'); os.link(p / 'a', p / 'h'); os.chmod(p / 'a', 0o600); os.utime(p / 'a'); os.truncate(p / 'a', 9)
with open('m', 'w+b') as f:
    f.truncate(8192); m = mmap.mmap(f.fileno(), 8192); m[0:3] = b'abc'; m.flush(); m.close()
    fcntl.flock(f, fcntl.LOCK_EX); fcntl.lockf(f, fcntl.LOCK_UN); os.fsync(f.fileno())
    os.pwritev(f.fileno(), [b'x', b'y'], 0); os.preadv(f.fileno(), [bytearray(2)], 0)
db = sqlite3.connect('x.db'); db.execute('create table t(a)'); db.execute('insert into t values(1)'); db.commit(); db.close()
with tarfile.open('t.tgz', 'w:gz') as t: t.add('d')
signal.signal(signal.SIGALRM, lambda *_: None); signal.setitimer(signal.ITIMER_REAL, 0.001); signal.pause()
a, b = socket.socketpair(); a.send(b'x'); assert b.recv(1) == b'x'
s = socket.socket(socket.AF_UNIX); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind('s'); s.listen()
async def co():
    child = await asyncio.create_subprocess_exec('/bin/echo', 'async', stdout=asyncio.subprocess.PIPE)
    assert (await child.communicate())[0] == b'async\n'
asyncio.run(co())
with concurrent.futures.ThreadPoolExecutor(2) as e: assert sum(e.map(abs, range(10))) == 45
with multiprocessing.Pool(2) as pool: assert pool.map(abs, [1, -2]) == [1, 2]
resource.setrlimit(resource.RLIMIT_CORE, (0, 0)); os.nice(0); os.getpgid(0); os.statvfs('.'); os.cpu_count()
assert not os.isatty(1)
pid = os.fork()
if pid == 0: os._exit(0)
os.waitpid(pid, 0)
e = select.epoll(); e.close(); os.sched_getaffinity(0); os.getrandom(4)
shutil.rmtree('d')
print('done'))");
  ExpectCleanExit(outcome, "done\n");
  EXPECT_EQ(outcome.denied, std::vector<std::string>());
  EXPECT_GT(outcome.counted, 3);  // lockf, and SQLite's
}

TEST_F(FilterRuntimeTest, DenialsFailAsTheProfileSaysAndAreReported) {
  const Outcome outcome = Python(R"(
import ctypes, errno, fcntl, os, socket
def fails(call):
    try: call()
    except OSError as e: return errno.errorcode[e.errno]
    return 'worked'
libc = ctypes.CDLL(None, use_errno=True)
def raw(*args):
    if libc.syscall(*args) == -1: raise OSError(ctypes.get_errno(), '')
r, w = os.pipe()
print(fails(lambda: socket.socket(socket.AF_INET)), fails(lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)))
print(fails(lambda: raw(272, 0x10000000)), fails(lambda: fcntl.fcntl(w, 1031, 1 << 20)), fails(lambda: raw(435, 0, 0)))
print(fails(lambda: raw(56, 0x10000011, 0, 0, 0, 0)), fails(lambda: fcntl.ioctl(r, 0x5412, b'x')), fails(lambda: raw(319, b'm', 0)))
)");
  ExpectCleanExit(outcome, "EAFNOSUPPORT EAFNOSUPPORT\nEPERM EINVAL ENOSYS\nEPERM ENOTTY EPERM\n");
  EXPECT_EQ(outcome.denied, (std::vector<std::string>{"socket", "socket", "unshare", "fcntl", "clone",
                                                      "ioctl", "memfd_create"}));
}

TEST_F(FilterRuntimeTest, CoreutilsAndTheShellRunAsNativePrograms) {
  const TemporaryDirectory directory;
  const Outcome outcome = RunUnder(
      native_,
      {"/bin/sh", "-c",
       "cd " + directory.path() +
           " && mkdir d && echo text > d/a && cp -a d e && mv e f && ln -s a d/l && ls -l d > list && "
           "sort list | tail -n 1 > /dev/null && tar cf t.tar d f && chmod 700 d && rm -r d f && "
           "timeout 10 true && echo done"});
  ExpectCleanExit(outcome, "done\n");
  EXPECT_EQ(outcome.denied, std::vector<std::string>());
}

TEST_F(FilterRuntimeTest, ForeignCallsAreReportedAndNeverMade) {
  const Outcome outcome = Python("import ctypes; ctypes.CDLL(None).syscall(0x40000000 + 39)");
  EXPECT_TRUE(WIFSIGNALED(outcome.wait_status));
  EXPECT_EQ(WTERMSIG(outcome.wait_status), SIGKILL);
  EXPECT_EQ(outcome.denied, std::vector<std::string>{"x32_syscall"});
}

}  // namespace
}  // namespace caisson::policy
