"""tools/leakcheck sees what is really leaked: each test leaks one thing, sees it reported, and takes it away again.

Other programs come and go on the machine, so the tests look for the line of their own leak, and for its absence.
"""
import os
import pathlib
import subprocess
import sys
import uuid

import pytest

LEAKCHECK = pathlib.Path(__file__).resolve().parents[3] / "tools" / "leakcheck"
SECONDS_TO_SETTLE = "20"
TIMEOUT_SECONDS = 60
WAIT_FOR_EOF = "import sys; print('ready', flush=True); sys.stdin.read()"


def leakcheck(*arguments):
    return subprocess.run([LEAKCHECK, *map(str, arguments)], capture_output=True, text=True, check=False,
                          timeout=TIMEOUT_SECONDS)


@pytest.fixture
def unique():
    return f"caisson-leaktest-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def root():
    if os.geteuid() != 0:
        message = "needs root to make a cgroup, a mount or a namespace"
        if os.environ.get("CAISSON_REQUIRE_PRIVILEGED") == "1":
            pytest.fail(message)
        pytest.skip(message)


class Child:
    """A process that says when it is ready and stays until its stdin is closed."""

    def __init__(self, *prefix, program=WAIT_FOR_EOF):
        self.process = subprocess.Popen([*prefix, sys.executable, "-c", program], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "ready\n"
        self.pid = self.process.pid

    def end(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()


def lines_with(result, text):
    assert result.returncode in (0, 1), result.stderr
    return [line for line in result.stdout.splitlines() if text in line]


def test_a_process_is_reported_until_it_is_gone(tmp_path):
    picture = tmp_path / "before"
    assert leakcheck("snapshot", picture).returncode == 0
    with Child() as child:
        result = leakcheck("compare", picture)
        assert result.returncode == 1
        assert lines_with(result, f"process left: pid {child.pid} ")
    assert not lines_with(leakcheck("compare", picture), f"pid {child.pid} ")


def test_an_orphan_of_the_command_is_reported():
    orphan = f"import sys; {WAIT_FOR_EOF}"
    script = (f"import subprocess, sys; child = subprocess.Popen([sys.executable, '-c', {orphan!r}], "
              "stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL); print('orphan', child.pid)")
    read_end, write_end = os.pipe()  # The orphan lives until the write end is closed.
    try:
        result = subprocess.run([LEAKCHECK, "--", sys.executable, "-c", script], stdin=read_end, capture_output=True,
                                text=True, check=False, timeout=TIMEOUT_SECONDS)
        assert result.returncode == 1
        pid = lines_with(result, "orphan ")[0].split()[1]
        assert lines_with(result, f"process left: pid {pid} ")
    finally:
        os.close(write_end)
        os.close(read_end)


def test_the_commands_status_is_passed_on_when_nothing_is_left():
    result = leakcheck("--scope", "caisson", "--settle", SECONDS_TO_SETTLE, "--", "/bin/sh", "-c", "exit 7")
    assert result.returncode == 7, result.stdout


def test_settling_waits_for_a_process_that_is_about_to_end(tmp_path):
    picture = tmp_path / "before"
    leakcheck("snapshot", picture)
    child = Child()
    compare = subprocess.Popen([LEAKCHECK, "compare", picture, "--settle", SECONDS_TO_SETTLE], stdout=subprocess.PIPE,
                               text=True)
    child.end()
    assert f"pid {child.pid} " not in compare.communicate()[0]


def test_a_cgroup_is_reported(tmp_path, unique, root):
    picture = tmp_path / "before"
    mount = next(line.split()[1] for line in pathlib.Path("/proc/mounts").read_text().splitlines()
                 if line.split()[2] == "cgroup2")
    leakcheck("snapshot", picture, "--scope", "caisson")
    directory = pathlib.Path(mount) / unique
    directory.mkdir()
    try:
        assert lines_with(leakcheck("compare", picture, "--scope", "caisson"), f"cgroup left: {directory}")
    finally:
        directory.rmdir()
    assert not lines_with(leakcheck("compare", picture, "--scope", "caisson"), unique)


def test_files_are_reported(tmp_path, unique, root):
    picture = tmp_path / "before"
    leakcheck("snapshot", picture, "--scope", "caisson")
    places = [pathlib.Path("/dev/shm") / unique, pathlib.Path("/run") / unique]
    for place in places:
        place.touch()
    try:
        result = leakcheck("compare", picture, "--scope", "caisson")
        assert lines_with(result, f"shared memory left: /dev/shm/{unique}")
        assert lines_with(result, f"file left: /run/{unique}")
    finally:
        for place in places:
            place.unlink()


def test_a_network_namespace_and_who_holds_it_are_reported(tmp_path, root):
    picture = tmp_path / "before"
    leakcheck("snapshot", picture)
    with Child("unshare", "--net", "--") as child:
        name = os.readlink(f"/proc/{child.pid}/ns/net")
        lines = lines_with(leakcheck("compare", picture), f"network namespace left: {name}")
        assert lines and f"pid {child.pid} " in lines[0]


def test_a_process_in_a_pid_namespace_is_caissons_whatever_its_name(tmp_path, root):
    picture = tmp_path / "before"
    leakcheck("snapshot", picture, "--scope", "caisson")
    with Child("unshare", "--pid", "--fork", "--kill-child", "--"):
        assert lines_with(leakcheck("compare", picture, "--scope", "caisson"), "process left: ")


def own(*marks):
    return ["--scope", "own", *map(str, marks)]


def test_own_scope_sees_what_is_below_a_process_and_no_stranger(tmp_path):
    picture = tmp_path / "before"
    marks = own("--below", os.getpid())
    leakcheck("snapshot", picture, *marks)
    with Child() as child:
        assert lines_with(leakcheck("compare", picture, *marks), f"process left: pid {child.pid} ")
        elsewhere = own("--below", child.pid)
        assert not lines_with(leakcheck("compare", picture, *elsewhere), "process left")
    assert leakcheck("compare", picture, *marks).returncode == 0


def test_own_scope_leaves_out_what_is_below_an_excepted_process(tmp_path):
    program = f"""
import subprocess, sys
print("ready", flush=True)
for line in sys.stdin:
    print(subprocess.Popen([sys.executable, "-c", {WAIT_FOR_EOF!r}], stdout=subprocess.DEVNULL).pid, flush=True)
"""
    picture = tmp_path / "before"
    with Child(program=program) as other:
        marks = own("--below", os.getpid())
        leakcheck("snapshot", picture, *marks)
        other.process.stdin.write("more\n")
        other.process.stdin.flush()
        pid = other.process.stdout.readline().strip()
        assert lines_with(leakcheck("compare", picture, *marks), f"process left: pid {pid} ")
        assert leakcheck("compare", picture, *marks, "--except", str(other.pid)).returncode == 0


def test_own_scope_finds_an_orphan_below_a_subreaper(tmp_path):
    """The orphan has another session, and no name or id of ours."""
    picture = tmp_path / "before"
    parent = (f"import subprocess, sys; print(subprocess.Popen([sys.executable, '-c', {WAIT_FOR_EOF!r}], "
              "stdout=subprocess.DEVNULL, start_new_session=True).pid)")
    program = f"""
import ctypes, subprocess, sys
assert ctypes.CDLL(None).prctl(36, 1, 0, 0, 0) == 0
print("ready", flush=True)
for line in sys.stdin:
    print(subprocess.check_output([sys.executable, "-c", {parent!r}], text=True).strip(), flush=True)
"""
    with Child(program=program) as reaper:
        marks = own("--below", reaper.pid)
        leakcheck("snapshot", picture, *marks)
        reaper.process.stdin.write("orphan\n")
        reaper.process.stdin.flush()
        pid = reaper.process.stdout.readline().strip()
        assert lines_with(leakcheck("compare", picture, *marks), f"process left: pid {pid} ")


def test_own_scope_does_not_report_a_dead_child_that_is_not_waited_for(tmp_path):
    picture = tmp_path / "before"
    marks = own("--below", os.getpid())
    leakcheck("snapshot", picture, *marks)
    child = subprocess.Popen(["true"])
    try:
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert leakcheck("compare", picture, *marks).returncode == 0
    finally:
        child.wait()


def test_own_scope_sees_processes_and_files_of_its_ids(tmp_path, unique, root):
    picture = tmp_path / "before"
    first = 1_900_000_000 + os.getpid() % 90_000 * 10
    marks = own("--ids", f"{first}-{first + 9}")
    leakcheck("snapshot", picture, *marks)
    places = {pathlib.Path("/dev/shm") / f"{unique}-ours": first + 9, pathlib.Path("/dev/shm") / f"{unique}-theirs": first + 10}
    for place, owner in places.items():
        place.touch()
        os.chown(place, owner, owner)
    try:
        with Child("setpriv", "--reuid", str(first), "--clear-groups", "--") as child:
            result = leakcheck("compare", picture, *marks)
        assert lines_with(result, f"process left: pid {child.pid} ")
        assert lines_with(result, f"shared memory left: /dev/shm/{unique}-ours")
        assert not lines_with(result, f"{unique}-theirs")
    finally:
        for place in places:
            place.unlink()


def test_own_scope_sees_cgroups_and_files_of_its_names(tmp_path, unique, root):
    picture = tmp_path / "before"
    mount = next(line.split()[1] for line in pathlib.Path("/proc/mounts").read_text().splitlines()
                 if line.split()[2] == "cgroup2")
    marks = own("--name", f"{unique}-ours")
    leakcheck("snapshot", picture, *marks)
    directories = [pathlib.Path(root_of) / f"{unique}-{whose}" for root_of in (mount, "/run") for whose in ("ours", "theirs")]
    for directory in directories:
        directory.mkdir()
    try:
        result = leakcheck("compare", picture, *marks)
        assert lines_with(result, f"cgroup left: {mount}/{unique}-ours")
        assert lines_with(result, f"file left: /run/{unique}-ours")
        assert not lines_with(result, "theirs")
    finally:
        for directory in directories:
            directory.rmdir()


DAEMON = """
import os, subprocess, sys
folder = sys.argv[1] if len(sys.argv) > 1 else None
print("ready", flush=True)
for line in sys.stdin:
    exec(line)
    print("done", flush=True)
"""


class Daemon(Child):
    """A stand-in for caissond, in a mount namespace of its own, that does as it is told."""

    def __init__(self):
        super().__init__("unshare", "--mount", "--", program=DAEMON)

    def do(self, statement):
        self.process.stdin.write(statement + "\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "done\n"


def test_a_daemons_descriptors_are_counted_by_kind(tmp_path, root):
    picture = tmp_path / "before"
    with Daemon() as daemon:
        daemon.do("kept = os.pipe()")
        leakcheck("snapshot", picture, "--pid", daemon.pid)
        daemon.do("[os.close(fd) for fd in kept]; kept = os.pipe()")
        result = leakcheck("compare", picture, "--pid", daemon.pid)
        assert not lines_with(result, "daemon's descriptor"), "other pipes of the same number are no leak"
        daemon.do("leaked = os.pipe()")
        result = leakcheck("compare", picture, "--pid", daemon.pid)
        assert lines_with(result, "daemon's descriptor left: pipe: 4 before, 6 now")


def test_a_daemons_mount_and_its_growth_are_reported(tmp_path, root):
    picture = tmp_path / "before"
    place = tmp_path / "mounted"
    place.mkdir()
    with Daemon() as daemon:
        leakcheck("snapshot", picture, "--pid", daemon.pid)
        daemon.do(f"subprocess.run(['mount', '-t', 'tmpfs', 'none', '{place}'], check=True)")
        result = leakcheck("compare", picture, "--pid", daemon.pid)
        assert lines_with(result, f"daemon's mount left: {place} (tmpfs none")
        leakcheck("snapshot", picture, "--pid", daemon.pid)
        daemon.do(f"open('{place}/file', 'w').write('x')")
        result = leakcheck("compare", picture, "--pid", daemon.pid)
        assert lines_with(result, f"daemon's tmpfs grew: {place}")
        daemon.do(f"subprocess.run(['umount', '{place}'], check=True)")
        result = leakcheck("compare", picture, "--pid", daemon.pid)
        assert lines_with(result, f"daemon's mount gone: {place}")


def test_a_daemons_restarted_child_is_no_leak_but_a_second_one_is(tmp_path, root):
    picture = tmp_path / "before"
    start = "subprocess.Popen([sys.executable, '-c', 'import sys; sys.stdin.read()'], stdin=subprocess.PIPE)"
    stop = "stdin.close(); child.wait()"
    with Daemon() as daemon:
        daemon.do(f"child = {start}; stdin = child.stdin")
        leakcheck("snapshot", picture, "--pid", daemon.pid)
        daemon.do(stop)
        daemon.do(f"child = {start}; stdin = child.stdin")
        assert not lines_with(leakcheck("compare", picture, "--pid", daemon.pid), "daemon's child")
        daemon.do(f"second = {start}")
        assert lines_with(leakcheck("compare", picture, "--pid", daemon.pid), ": 1 before, 2 now")
        daemon.do("second.stdin.close(); second.wait()")
        daemon.do(stop)


@pytest.mark.parametrize("arguments", [[], ["snapshot"], ["compare"], ["--"], ["--frobnicate", "--", "true"],
                                       ["compare", "/nonexistent"], ["snapshot", "/nonexistent/file"],
                                       ["snapshot", "/dev/null", "--pid", "0x1"],
                                       ["snapshot", "/dev/null", "--scope", "own"],
                                       ["snapshot", "/dev/null", "--name", "x"],
                                       ["snapshot", "/dev/null", "--scope", "own", "--ids", "5"]])
def test_wrong_usage_is_status_2(arguments):
    result = leakcheck(*arguments)
    assert result.returncode == 2
    assert result.stderr


def test_help_explains_itself():
    result = leakcheck("--help")
    assert result.returncode == 0
    assert "exit status" in result.stdout
