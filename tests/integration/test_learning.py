"""`caisson profile learn`: what trusted programs call becomes a profile under which they run, and nothing opens the ceiling."""

import json
import os
import stat
import subprocess

import jsonschema
import pytest

from support import leakcheck
from support.client import Client
from support.daemon import Daemon, DaemonFailed
from support.environment import CAISSON, CAISSOND, REPOSITORY, scaled
from support.native import compile_c

WORKING = """
import fcntl, os, socket, sqlite3, subprocess, threading
with open("/box/data", "w") as file:
    fcntl.lockf(file, fcntl.LOCK_EX)
    file.write("kept")
table = sqlite3.connect("/box/base.db")
table.execute("create table t (n)")
table.execute("insert into t values (7)")
table.commit()
thread = threading.Thread(target=lambda: print(table is not None, flush=True))
thread.start()
thread.join()
print(subprocess.run(["/usr/bin/cat", "/box/data"], capture_output=True, check=True).stdout.decode(), flush=True)
left, right = socket.socketpair()
left.send(b"over")
print(right.recv(4).decode(), flush=True)
os.sched_setaffinity(0, os.sched_getaffinity(0))
print("done")
"""
PRINTED = b"True\nkept\nover\ndone\n"
OTHER = """
import select, signal
poll = select.epoll()
signal.signal(signal.SIGALRM, lambda *_: print("rang", flush=True))
signal.setitimer(signal.ITIMER_REAL, 0.01)
signal.pause()
"""

NATIVE = r"""
#include <pthread.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
static void* name(void* unused) { prctl(PR_SET_NAME, "worker"); return unused; }
int main(void) {
  pthread_t thread;
  if (pthread_create(&thread, NULL, name, NULL) != 0 || pthread_join(thread, NULL) != 0) return 1;
  if (mkfifo("/box/fifo", 0600) != 0) return 2;
  printf("native\n");
  return 0;
}
"""

# Each line: what was tried, and how it ended. Nothing of it is below the ceiling.
ABOVE = r"""
#include <errno.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#define TRY(name, call) do { errno = 0; long got = (long)(call); printf("%s %s %d\n", name, got == -1 ? "refused" : "DONE", errno); } while (0)
int main(void) {
  TRY("ptrace", ptrace(PTRACE_TRACEME, 0, 0, 0));
  TRY("bpf", syscall(SYS_bpf, 0, 0, 0));
  TRY("unshare", syscall(SYS_unshare, 0x10000000));
  TRY("clone", syscall(SYS_clone, 0x10000000 | 17, 0, 0, 0, 0));
  TRY("clone3", syscall(SYS_clone3, 0, 0));
  TRY("mount", syscall(SYS_mount, "/", "/", 0, 0, 0));
  TRY("inet", socket(AF_INET, SOCK_STREAM, 0));
  TRY("netlink", socket(AF_NETLINK, SOCK_RAW, 0));
  TRY("memfd", memfd_create("m", 0));
  TRY("tiocsti", ioctl(0, 0x5412, "x"));
  TRY("keyctl", syscall(SYS_keyctl, 0, 0, 0));
  TRY("io_uring", syscall(SYS_io_uring_setup, 8, 0));
  TRY("userfaultfd", syscall(SYS_userfaultfd, 0));
  TRY("seccomp", prctl(PR_SET_SECCOMP, 2, 0, 0, 0));
  TRY("personality", syscall(SYS_personality, 0x400000));
  TRY("control", 0);
  return 0;
}
"""
FOREIGN = r"""
#include <stdio.h>
#include <unistd.h>
int main(void) {
  long result = 20; /* getpid of i386 */
  printf("before\n");
  fflush(stdout);
  __asm__ volatile("int $0x80" : "+a"(result) : : "memory");
  printf("after %ld\n", result);
  return 0;
}
"""


@pytest.fixture(scope="module")
def learning(daemon, module_leaves_nothing):  # pylint: disable=unused-argument
    """A daemon whose profiles python, native and c learn, beside the ordinary one."""
    with leakcheck.nothing_left():
        with Daemon(profiles=["python", "native", "c", "bash"], ready_sandboxes=0,
                    learning_profiles=["python", "native", "c"]) as running:
            yield running
            assert running.stop() == 0


@pytest.fixture
def learning_client(learning):  # pylint: disable=redefined-outer-name
    client = Client(learning.address)
    yield client
    client.close()


def caisson(address, directory, *arguments, **more):
    return subprocess.run([CAISSON, *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True, cwd=directory,
                          env={**os.environ, "CAISSON_SOCKET": address}, timeout=scaled(90), check=False, **more)


def write(directory, name, content):
    path = directory / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.fixture
def learn(learning, tmp_path):  # pylint: disable=redefined-outer-name
    """Calls `caisson profile learn`; a CompletedProcess. What it writes is in tmp_path."""
    return lambda *arguments: caisson(learning.address, tmp_path, "profile", "learn", "--profiles", learning.profiles_dir,
                                      *arguments)


@pytest.fixture
def daemon_with(make_daemon):
    """Starts an ordinary daemon that has these profiles besides, after the files have passed every check."""

    def start(*paths):
        running = make_daemon(start=False, profiles=["base"], ready_sandboxes=0)
        running.write_files()
        for path in paths:
            target = running.profiles_dir / path.name
            target.write_bytes(path.read_bytes())
            os.chmod(target, 0o644)
            lint = caisson(running.address, running.directory, "profile", "lint", path.stem, "--profiles", running.profiles_dir)
            assert lint.returncode == 0, lint.stdout
        check = subprocess.run([CAISSOND, "--check-config", "--config", running.config_file], capture_output=True,
                               timeout=scaled(30), check=False)
        assert check.returncode == 0, check.stderr
        return running.start()

    return start


def run_json(address, directory, profile, program):
    done = caisson(address, directory, "run", "--json", "--profile", profile, program)
    return json.loads(done.stdout)


def test_learned_python_runs_the_same_program_without_a_denial(learn, daemon_with, tmp_path):
    program = write(tmp_path, "working.py", WORKING)
    done = learn("--profile", "python", "--name", "working", program)
    assert done.returncode == 0, done.stderr
    assert done.stdout == PRINTED
    report = done.stderr.decode()
    assert "\n+ sched_setaffinity\n" in report, report
    assert "\n- timer_create\n" in report
    profile = json.loads((tmp_path / "working.json").read_text())
    jsonschema.Draft202012Validator(json.loads((REPOSITORY / "profiles" / "schema.json").read_text())).validate(profile)
    whys = {rule["name"]: rule["why"] for rule in profile["steps"]["run"]["syscalls"]["rules"]}
    assert whys["socketpair"].endswith("; observed 1 time in working.py"), whys["socketpair"]
    assert "times in working.py" in whys["openat"]
    assert "Learned by caisson" in profile["description"] and "from working.py under python" in profile["description"]
    ordinary = daemon_with(tmp_path / "working.json")
    result = run_json(ordinary.address, tmp_path, "working", program)
    assert result["stdout"].encode() == PRINTED
    assert result["verdict"] == "COMPLETED" and result["exit_code"] == 0
    assert "denials" not in result
    assert "learning" not in result["isolation"] and "observed_calls" not in result
    # It is the least: another program is refused what this one did not need.
    other = run_json(ordinary.address, tmp_path, "working", write(tmp_path, "other.py", OTHER))
    assert {denial["name"] for denial in other["denials"]} >= {"setitimer"}


def test_learned_native_runs_the_same_program_without_a_denial(learn, daemon_with, tmp_path):
    program = write(tmp_path, "tool", compile_c(NATIVE))
    done = learn("--profile", "native", "--output", tmp_path / "tool-only.json", program)
    assert done.returncode == 0, done.stderr
    rules = json.loads((tmp_path / "tool-only.json").read_text())["steps"]["run"]["syscalls"]["rules"]
    allowed = {rule["name"]: rule.get("args") for rule in rules if "action" not in rule}
    assert allowed["prctl"] == [{"index": 0, "value": 15}]  # PR_SET_NAME, and not the other ten
    assert "socket" not in allowed and "epoll_wait" not in allowed
    ordinary = daemon_with(tmp_path / "tool-only.json")
    result = run_json(ordinary.address, tmp_path, "tool-only", program)
    assert (result["stdout"], result["verdict"], result.get("denials")) == ("native\n", "COMPLETED", None)


def test_both_steps_of_a_compiled_language_are_learned(learn, daemon_with, tmp_path):
    program = write(tmp_path, "hello.c", '#include <stdio.h>\nint main(void) { puts("hello"); return 0; }\n')
    done = learn("--profile", "c", "--name", "small-c", program)
    assert done.returncode == 0, done.stderr
    steps = json.loads((tmp_path / "small-c.json").read_text())["steps"]
    allowed = {name: {rule["name"] for rule in step["syscalls"]["rules"] if "action" not in rule} for name, step in steps.items()}
    assert "wait4" in allowed["compile"] - allowed["run"], "gcc waits for what it starts, the program does not"
    ordinary = daemon_with(tmp_path / "small-c.json")
    result = run_json(ordinary.address, tmp_path, "small-c", program)
    assert (result["stdout"], result["verdict"], result.get("denials")) == ("hello\n", "COMPLETED", None)


def test_several_programs_are_merged(learn, learning, daemon_with, tmp_path):  # pylint: disable=redefined-outer-name
    first, second = write(tmp_path, "working.py", WORKING), write(tmp_path, "other.py", OTHER)
    result = caisson(learning.address, tmp_path, "run", "--json", "--profile", "python", second)
    saved = write(tmp_path, "other.json", result.stdout)
    done = learn("--profile", "python", "--name", "both", "--merge", saved, first)
    assert done.returncode == 0, done.stderr
    rules = json.loads((tmp_path / "both.json").read_text())["steps"]["run"]["syscalls"]["rules"]
    futexes = next(rule["why"] for rule in rules if rule["name"] == "rt_sigaction")
    assert "in other.json" in futexes and "in working.py" in futexes, futexes
    ordinary = daemon_with(tmp_path / "both.json")
    for program in (first, second):
        assert "denials" not in run_json(ordinary.address, tmp_path, "both", program)
    # From results alone the same comes of it, without a server.
    alone = caisson("unix:/nowhere", tmp_path, "profile", "learn", "--profiles", learning.profiles_dir, "--profile", "python",
                    "--name", "alone", "--merge", saved)
    assert alone.returncode == 0, alone.stderr


def test_result_of_a_learning_run_says_so(learning_client):
    outcome = learning_client.execute("import os; os.getpriority(0, 0)")
    assert outcome.isolation.learning and outcome.result.isolation.learning
    calls = {call.name: call for call in outcome.result.observed_calls}
    assert calls["getpriority"].count == 1 and calls["getpriority"].step == "run"
    assert outcome.result.observed_calls_unlisted == 0
    assert "read" not in calls  # what the stub needs is not counted


def test_other_profiles_of_the_same_daemon_do_not_learn(learning_client):
    outcome = learning_client.execute(b"echo hello", profile="bash")
    assert outcome.verdict() == "COMPLETED"
    assert not outcome.result.isolation.learning and not outcome.result.observed_calls


def test_ordinary_daemon_never_learns(client):
    outcome = client.execute("import os; os.getpriority(0, 0)")
    assert not outcome.isolation.learning and not outcome.result.observed_calls
    # No call of the group `learning` gets through, of which the learning daemon lets every one.
    outcome = client.execute("import os\ntry: os.sched_setaffinity(0, {0})\nexcept PermissionError: print('refused')")
    assert outcome.stdout == b"refused\n" and outcome.denials() == {"sched_setaffinity": 1}


def test_what_is_above_the_ceiling_is_refused_while_learning(learning_client):
    outcome = learning_client.execute(compile_c(ABOVE), profile="native")
    assert outcome.verdict() == "COMPLETED"
    lines = [line.split() for line in outcome.stdout.decode().splitlines()]
    assert len(lines) == 16
    assert [line[0] for line in lines if line[1] != "refused"] == ["control"], lines
    tried = {"ptrace", "bpf", "unshare", "clone3", "mount", "socket", "memfd_create", "keyctl", "io_uring_setup",
             "userfaultfd", "personality"}
    assert tried.isdisjoint(call.name for call in outcome.result.observed_calls)


def test_calls_of_another_architecture_end_a_learning_run(learning_client):
    outcome = learning_client.execute(compile_c(FOREIGN), profile="native")
    assert outcome.verdict() == "SIGNALED" and outcome.result.signal == 31
    assert outcome.stdout == b"before\n"


def test_only_root_may_connect_to_a_daemon_that_learns(learning, daemon):  # pylint: disable=redefined-outer-name
    assert stat.S_IMODE(os.stat(learning.socket_path).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(daemon.socket_path).st_mode) == 0o660
    # A member of the daemon's group, as the clients of an ordinary daemon are.
    group = os.stat(daemon.socket_path).st_gid
    for running, code in ((daemon, 0), (learning, 125)):
        done = subprocess.run([CAISSON, "ps", "--socket", running.address], capture_output=True, user=65534, group=group,
                              extra_groups=[], timeout=scaled(30), check=False)
        assert done.returncode == code, done.stderr


@pytest.mark.parametrize("source, complaint", [
    ("while True: pass", "it ended with CPU_TIME_LIMIT"),
    ("import os; os.kill(os.getpid(), 9)", "it ended with SIGNALED"),
])
def test_nothing_is_written_of_a_run_that_shows_only_a_part(learn, tmp_path, source, complaint):
    done = learn("--profile", "python", "--name", "part", "--limit", "cpu_time_ms=500", write(tmp_path, "part.py", source))
    assert done.returncode == 125
    assert complaint in done.stderr.decode()
    assert not (tmp_path / "part.json").exists()


def test_nothing_is_learned_from_an_ordinary_daemon(daemon, tmp_path):
    program = write(tmp_path, "main.py", "print('x')")
    done = caisson(daemon.address, tmp_path, "profile", "learn", "--profiles", daemon.profiles_dir, "--profile", "python", program)
    assert done.returncode == 125
    assert "main.py: the run did not learn: the operator's configuration must name its profile in learning_profiles" \
        in done.stderr.decode()
    assert not (tmp_path / "python-learned.json").exists()


def test_usage_mistakes_are_told_before_anything_runs(learn, tmp_path):
    program = write(tmp_path, "main.py", "print('ran')")
    write(tmp_path, "there.json", "{}")
    for arguments, complaint in (
            (["--profile", "python", "--name", "there", program], "there.json is there already; --force replaces it"),
            (["--profile", "python", "--name", "a", "--output", "b.json", program], "must be a.json"),
            (["--profile", "pyton", program], "did you mean python"),
            (["--profile", "python"], "FILE is missing, or --merge"),
            (["--profile", "python", "--merg", "x", program], "unknown option --merg"),
            (["--profile", "python", "--merge", program], "is not what caisson run --json prints")):
        done = learn(*arguments)
        assert done.returncode == 2, done.stderr
        assert complaint in done.stderr.decode()
        assert done.stdout == b""
    assert (tmp_path / "there.json").read_text() == "{}"


def test_profile_that_is_not_there_cannot_learn(make_daemon):
    running = make_daemon(start=False, profiles=["python"], learning_profiles=["pyhton"])
    running.write_files()
    check = subprocess.run([CAISSOND, "--check-config", "--config", running.config_file], capture_output=True, text=True,
                           timeout=scaled(30), check=False)
    assert check.returncode == 1
    assert "learning_profiles: no profile 'pyhton' is available; did you mean 'python'?" in check.stderr
    with pytest.raises(DaemonFailed) as failure:
        running.start()
    assert any("learning_profiles: no profile 'pyhton'" in line for line in failure.value.log)


@pytest.mark.host
def test_container_lists_are_imported_and_exported(daemon_with, tmp_path):
    exported = caisson("unix:/nowhere", tmp_path, "profile", "export", "python")
    assert exported.returncode == 0, exported.stderr
    write(tmp_path, "list.json", exported.stdout)
    done = caisson("unix:/nowhere", tmp_path, "profile", "import", "--profile", "python", "--name", "listed", "list.json")
    assert done.returncode == 0, done.stderr
    assert done.stderr == b"caisson: wrote listed.json\n"  # nothing was left out
    debians = caisson("unix:/nowhere", tmp_path, "profile", "import", "--profile", "python", "--name", "podman",
                      "/usr/share/containers/seccomp.json")
    assert debians.returncode == 0, debians.stderr
    assert b"left out: ptrace: reads or changes other processes\n" in debians.stderr
    ordinary = daemon_with(tmp_path / "listed.json", tmp_path / "podman.json")
    for profile in ("listed", "podman"):
        result = run_json(ordinary.address, tmp_path, profile, write(tmp_path, "hello.py", "print('hello')"))
        assert (result["stdout"], result.get("denials")) == ("hello\n", None)
