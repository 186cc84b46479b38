// One sandbox's life after START: signals, the collection of output files, and that neither changes a
// verdict.
#include "orchestrator/session.h"

#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <map>
#include <string>
#include <thread>

#include "ipc/output_decoder.h"
#include "session_support.h"

namespace caisson::orchestrator {
namespace {

using ipc::PreparedFd;
using ipc::Verdict;

struct Outputs final : ipc::OutputSink {
  std::map<std::string, std::string> files;
  std::map<std::string, wire::OutputRefusal> refused;
  std::string last;
  bool done = false;

  void OnFile(const ipc::OutputFileInfo& file) override { files[last = file.path] = ""; }
  void OnData(std::span<const std::byte> bytes) override {
    files[last].append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  void OnFileEnd(bool complete, int /*error_number*/) override { EXPECT_TRUE(complete) << last; }
  void OnRefused(std::string_view path, wire::OutputRefusal reason, int /*error*/) override {
    refused[std::string(path)] = reason;
  }
  void OnDone(uint64_t /*unlisted*/) override { done = true; }
};

class SessionRunTest : public SessionTest {
 protected:
  // Reads the output files from the start of the run to the end of init, as the dispatcher does.
  Outputs RunAndCollect(const std::string& program, Moments moments = {}) {
    std::string stream;
    std::thread reader;
    auto started = std::move(moments.started);
    moments.started = [&] {
      reader = std::thread([&stream, fd = Pipe(PreparedFd::kOutputs)] { stream = ReadToEnd(fd); });
      if (started) {
        started();
      }
    };
    Run(program, 10'000, std::move(moments));
    reader.join();
    Outputs outputs;
    ipc::OutputDecoder decoder(outputs);
    EXPECT_TRUE(decoder.Feed(std::as_bytes(std::span(stream))).ok());
    return outputs;
  }
};

constexpr char kWritesAndStays[] = R"(
import os, sys, time
os.makedirs("out/deep")
open("out/deep/file", "w").write("content")
os.symlink("/etc/passwd", "out/link")
print("ready", flush=True)
)";

TEST_F(SessionRunTest, OutputFilesComeAfterAnOrdinaryEnd) {
  outputs_ = {"out", "missing"};
  const Outputs outputs = RunAndCollect(kWritesAndStays);
  ASSERT_TRUE(finished_.has_value());
  EXPECT_EQ(finished_->verdict, Verdict::kCompleted);
  EXPECT_TRUE(outputs.done);
  EXPECT_EQ(outputs.files, (std::map<std::string, std::string>{{"out/deep/file", "content"}}));
  EXPECT_EQ(outputs.refused,
            (std::map<std::string, wire::OutputRefusal>{{"missing", wire::OutputRefusal::kNotFound},
                                                        {"out/link", wire::OutputRefusal::kLink}}));
}

TEST_F(SessionRunTest, OutputFilesComeAfterALimitToo) {
  outputs_ = {"out"};
  limits_.wall_time_ms = 1'500;
  const Outputs outputs = RunAndCollect(std::string(kWritesAndStays) + "time.sleep(60)\n");
  EXPECT_EQ(finished_->verdict, Verdict::kWallTimeLimit);
  EXPECT_TRUE(outputs.done);
  EXPECT_EQ(outputs.files.size(), 1U);
}

TEST_F(SessionRunTest, OutputFilesComeAfterAnOomKill) {
  outputs_ = {"file"};
  limits_.memory_bytes = 48ULL << 20U;
  const Outputs outputs = RunAndCollect("open('file', 'w').write('kept')\nx = bytearray(200 << 20)\n");
  EXPECT_EQ(finished_->verdict, Verdict::kMemoryLimit);
  EXPECT_TRUE(outputs.done);
  EXPECT_EQ(outputs.files, (std::map<std::string, std::string>{{"file", "kept"}}));
}

TEST_F(SessionRunTest, NobodyOutlivesMainToChangeWhatIsCollected) {
  outputs_ = {"."};
  const Outputs outputs = RunAndCollect(R"(
import os, time
if os.fork() == 0:
    os.setsid()
    while True:
        for name, text in (("new", "x"), ("file", "y")):
            open(name + ".tmp", "w").write(text)
            os.rename(name + ".tmp", "file")
            os.symlink("/etc/passwd", "l")
            os.rename("l", "file")
            open("pulse", "w").write("1")
while not os.path.exists("pulse"):
    time.sleep(0.001)
)");
  EXPECT_EQ(finished_->verdict, Verdict::kCompleted);
  EXPECT_TRUE(outputs.done);
  for (const auto& [path, content] : outputs.files) {
    EXPECT_EQ(content.find("root:"), std::string::npos) << path;
  }
}

TEST_F(SessionRunTest, WithoutOutputPathsThePipeEndsAtTheStart) {
  bool ended = false;
  Run("import time\ntime.sleep(60)\n", 0, {.prepared = {}, .started = [&] {
                                             pollfd polled{Pipe(PreparedFd::kOutputs), POLLIN, 0};
                                             poll(&polled, 1, 10'000);
                                             ended = (polled.revents & POLLHUP) != 0;
                                             Cancel(ipc::CancelReason::kClient);
                                           }});
  EXPECT_TRUE(ended);
  EXPECT_EQ(finished_->verdict, Verdict::kCanceled);
}

TEST_F(SessionRunTest, ACollectorThatNobodyReadsEndsInItsTimeAndTheVerdictStays) {
  outputs_ = {"large"};
  Run("open('large', 'wb').write(bytes(1 << 20))\n", 300);
  EXPECT_EQ(finished_->verdict, Verdict::kCompleted);
  EXPECT_EQ(finished_->exit_code, 0);
  EXPECT_GE(finished_->teardown_ns, 2'300'000'000U);
  EXPECT_LT(finished_->teardown_ns, 9'000'000'000U);
  // The time of the collection is nobody's run time, its CPU time nobody's usage.
  EXPECT_LT(finished_->usage.wall_time_ns, 2'000'000'000U);
}

TEST_F(SessionRunTest, ACollectorWhoseReaderGoesAwayEndsAtOnce) {
  outputs_ = {"large"};
  Run("open('large', 'wb').write(bytes(1 << 20))\n", 10'000,
      {.prepared = {}, .started = [&] { ClosePipe(PreparedFd::kOutputs); }});
  EXPECT_EQ(finished_->verdict, Verdict::kCompleted);
  EXPECT_LT(finished_->teardown_ns, 2'000'000'000U);
}

TEST_F(SessionRunTest, AShutdownEndsACollectionAtOnceAndTheVerdictStays) {
  outputs_ = {"large"};
  Run("open('large', 'wb').write(bytes(1 << 20))\n", 60'000,
      {.prepared = {},
       .started = [&] { When(PreparedFd::kOutputs, EPOLLIN, [&] { session_->End(EndCause::kShutdown); }); }});
  EXPECT_EQ(finished_->verdict, Verdict::kCompleted);
  EXPECT_LT(finished_->teardown_ns, 2'000'000'000U);
}

TEST_F(SessionRunTest, ACancelByTheClientCollectsNothing) {
  for (const auto reason : {ipc::CancelReason::kClient, ipc::CancelReason::kDisconnected,
                            ipc::CancelReason::kDeadline, ipc::CancelReason::kShutdown}) {
    SCOPED_TRACE(static_cast<int>(reason));
    outputs_ = {"large"};
    Run("open('large', 'wb').write(bytes(1 << 20))\nprint('ready', flush=True)\nimport "
        "time\ntime.sleep(60)\n",
        60'000,
        {.prepared = {}, .started = [&] { When(PreparedFd::kStdout, EPOLLIN, [&] { Cancel(reason); }); }});
    EXPECT_EQ(finished_->verdict, Verdict::kCanceled);
    EXPECT_LT(finished_->teardown_ns,
              2'000'000'000U);  // The pipe is full: a collector would wait for a minute.
  }
}

TEST_F(SessionRunTest, ASignalReachesTheProgramsHandler) {
  Run(R"(
import signal, sys
signal.signal(signal.SIGUSR1, lambda *_: sys.exit(7))
print("ready", flush=True)
while True: pass
)",
      0, {.prepared = {}, .started = [&] {
            When(PreparedFd::kStdout, EPOLLIN, [&] { session_->Signal(SIGUSR1); });
          }});
  EXPECT_EQ(finished_->verdict, Verdict::kCompleted);
  EXPECT_EQ(finished_->exit_code, 7);
}

// This process's only child beside the builder.
pid_t InitOfTheRun(pid_t builder) {
  std::ifstream children("/proc/self/task/" + std::to_string(gettid()) + "/children");
  pid_t init = 0;
  int others = 0;
  for (pid_t child = 0; children >> child;) {
    if (child != builder) {
      init = child;
      ++others;
    }
  }
  EXPECT_EQ(others, 1);
  return init;
}

TEST_F(SessionRunTest, ASignalThatAStoppedInitHasNoRoomForComesWhenItGoesOn) {
  constexpr int kMoreThanASocketHolds = 10'000;
  Run(R"(
import signal, sys
signal.signal(signal.SIGUSR1, lambda *_: None)
signal.signal(signal.SIGUSR2, lambda *_: sys.exit(7))
print("ready", flush=True)
while True: pass
)",
      0, {.prepared = {}, .started = [&] {
            When(PreparedFd::kStdout, EPOLLIN, [&] {
              const pid_t init = InitOfTheRun(builder_->pid());
              ASSERT_EQ(kill(init, SIGSTOP), 0);
              siginfo_t stopped{};
              ASSERT_EQ(waitid(P_PID, static_cast<id_t>(init), &stopped, WSTOPPED), 0);
              for (int i = 0; i < kMoreThanASocketHolds; ++i) {
                session_->Signal(SIGUSR1);
              }
              session_->Signal(SIGUSR2);
              ASSERT_EQ(kill(init, SIGCONT), 0);
            });
          }});
  EXPECT_EQ(finished_->verdict, Verdict::kCompleted);
  EXPECT_EQ(finished_->exit_code, 7);
}

TEST_F(SessionRunTest, AHigherPriorityIsNotInherited) {
  ASSERT_EQ(setpriority(PRIO_PROCESS, 0, -5), 0);
  Run("import os\nprint(os.getpriority(os.PRIO_PROCESS, 0))\n", 0);
  ASSERT_EQ(setpriority(PRIO_PROCESS, 0, 0), 0);
  EXPECT_EQ(ReadToEnd(Pipe(PreparedFd::kStdout)), "0\n");
}

TEST_F(SessionRunTest, TheKernelsFirstChoiceWhenMemoryIsUsedUpIsTheProgram) {
  Run("print(open('/proc/self/oom_score_adj').read(), end='')\n", 0);
  EXPECT_EQ(ReadToEnd(Pipe(PreparedFd::kStdout)), "1000\n");
}

TEST_F(SessionRunTest, ASignalBetweenStartAndExecMeetsTheDefaults) {
  Run("import time\ntime.sleep(60)\n", 0, {.prepared = {}, .started = [&] { session_->Signal(SIGTERM); }});
  ASSERT_TRUE(finished_.has_value());
  EXPECT_EQ(finished_->verdict, Verdict::kSignaled);
  EXPECT_EQ(finished_->term_signal, SIGTERM);
  EXPECT_EQ(finished_->ended_by, ipc::Actor::kKernel);
}

TEST_F(SessionRunTest, AHarmlessSignalBetweenStartAndExecChangesNothing) {
  Run("print('fine')\n", 0, {.prepared = {}, .started = [&] { session_->Signal(SIGWINCH); }});
  EXPECT_EQ(finished_->verdict, Verdict::kCompleted);
}

// What is logged of a run. Operators choose the level warn to hear of what concerns them.
class SessionLogTest : public SessionRunTest {
 protected:
  std::string LogOf(const std::string& program) {
    testing::internal::CaptureStdout();
    Run(program, 0);
    return testing::internal::GetCapturedStdout();
  }
};

TEST_F(SessionLogTest, AFailureThatIsOursIsAWarningAfterStartToo) {
  limits_.open_files = 1ULL << 40U;  // beyond what the kernel takes; caissond's own checks are not in between
  const std::string log = LogOf("print('x')\n");
  EXPECT_EQ(finished_->verdict, Verdict::kSandboxSetupFailed);
  EXPECT_EQ(finished_->ended_by, ipc::Actor::kService);
  EXPECT_NE(log.find("[warning] sandbox 7: "), std::string::npos) << log;
}

TEST_F(SessionLogTest, AFailureThatAClientCausesIsNoWarning) {
  const std::string log = LogOf(std::string(65U << 20U, '#'));  // more than the disk holds
  EXPECT_EQ(finished_->verdict, Verdict::kSandboxSetupFailed);
  EXPECT_EQ(finished_->ended_by, ipc::Actor::kClient);
  EXPECT_NE(log.find("[info] sandbox 7: "), std::string::npos) << log;
  EXPECT_EQ(log.find("[warning]"), std::string::npos) << log;
}

// The pid of a main process that has ended may be somebody else's by now: init must not signal it.
TEST_F(SessionRunTest, SignalsAfterTheEndReachNobody) {
  Run("print('over')\n", 0, {.prepared = {}, .started = [&] {
                               When(PreparedFd::kStdout, EPOLLHUP, [&] {
                                 for (int i = 0; i < 50 && session_->state() == ipc::SandboxState::kRunning;
                                      ++i) {
                                   session_->Signal(SIGTERM);
                                 }
                               });
                             }});
  EXPECT_EQ(finished_->verdict, Verdict::kCompleted);
  EXPECT_EQ(finished_->exit_code, 0);
}

}  // namespace
}  // namespace caisson::orchestrator
