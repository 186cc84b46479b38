"""What a program finds when it looks around."""

import json

import pytest

from support.native import compile_c


def answer(client, source, **fields):
    outcome = client.execute(source, **fields)
    assert outcome.verdict() == "COMPLETED", outcome.stderr
    assert outcome.result.exit_code == 0, outcome.stderr
    return outcome.stdout.decode()


def test_user_is_box_with_id_1000(client):
    source = "import os, pwd; print(os.getresuid(), os.getresgid(), pwd.getpwuid(os.getuid())[:1], pwd.getpwuid(os.getuid())[5:6])"
    assert answer(client, source) == "(1000, 1000, 1000) (1000, 1000, 1000) ('box',) ('/box',)\n"


def test_there_are_no_supplementary_groups(client):
    assert answer(client, "import os; print(os.getgroups())") in ("[]\n", "[1000]\n")


def test_working_directory_is_box(client):
    assert answer(client, "import os; print(os.getcwd())") == "/box\n"


def profile_environment(daemon, name):
    """The environment a profile's run step comes to: its own variables over those of what it extends."""
    profile = json.loads((daemon.profiles_dir / f"{name}.json").read_text())
    merged = profile_environment(daemon, profile["extends"]) if "extends" in profile else {}
    for section in ("all", "run"):
        for variable, value in profile["steps"].get(section, {}).get("environment", {}).items():
            merged[variable] = value["value"] if isinstance(value, dict) else value
    return merged


def test_environment_is_exactly_the_profiles(client, daemon):
    found = json.loads(answer(client, "import json, os; print(json.dumps(dict(os.environ)))"))
    # Python adds LC_CTYPE itself where the locale is C.
    found.pop("LC_CTYPE", None)
    assert found == profile_environment(daemon, "python")


def test_clients_variables_are_added_and_win(client):
    source = "import os; print(os.environ['MINE'], os.environ['HOME'], repr(os.environ['EMPTY']))"
    assert answer(client, source, env={"MINE": "a=b c", "HOME": "/tmp", "EMPTY": ""}) == "a=b c /tmp ''\n"


def test_nothing_of_the_daemons_environment_gets_in(client):
    text = answer(client, "import os; print(sorted(os.environ))")
    for name in ("SUDO_USER", "NOTIFY_SOCKET", "LISTEN_FDS", "CAISSON_BIN_DIR", "CAISSON_SOCKET"):
        assert name not in text


def test_arguments_arrive_unchanged(client):
    args = ["", "a b", "[1,2]", "--flag", "ü", "*", "$HOME", "'\"\\"]
    assert json.loads(answer(client, "import json, sys; print(json.dumps(sys.argv[1:]))", args=args)) == args


def test_only_descriptors_0_1_2_are_open(client):
    source = compile_c(r"""
#include <fcntl.h>
#include <stdio.h>
int main(void) {
  for (int fd = 0; fd < 4096; ++fd) {
    if (fcntl(fd, F_GETFD) >= 0) printf("%d ", fd);
  }
  return 0;
}
""")
    assert client.execute(source, "native").stdout == b"0 1 2 "


def test_proc_shows_only_descriptors_0_1_2(client):
    # The fourth is the directory itself, open while it is read.
    assert answer(client, "import os; print(sorted(os.listdir('/proc/self/fd')))") == "['0', '1', '2', '3']\n"


def test_standard_streams_are_pipes_and_can_be_reopened(client):
    source = """
import os, stat
print([stat.S_ISFIFO(os.fstat(fd).st_mode) for fd in (0, 1, 2)], flush=True)
with open("/dev/stdout", "w") as again: again.write("reopened\\n")
"""
    assert answer(client, source) == "[True, True, True]\nreopened\n"


def test_there_is_no_terminal(client):
    source = """
import os
print([os.isatty(fd) for fd in (0, 1, 2)])
try: os.open("/dev/tty", os.O_RDWR); print("tty")
except OSError: print("none")
"""
    assert answer(client, source) == "[False, False, False]\nnone\n"


def test_program_leads_a_session_of_its_own(client):
    assert answer(client, "import os; print(os.getsid(0) == os.getpid() == os.getpgrp())") == "True\n"


def test_only_own_processes_are_visible(client):
    source = "import os; print(sorted(int(n) for n in os.listdir('/proc') if n.isdigit()) == [os.getpid()])"
    assert answer(client, source) == "True\n"


def test_proc_has_nothing_but_processes(client):
    source = "import os; print([n for n in os.listdir('/proc') if not n.isdigit() and n not in ('self', 'thread-self')])"
    assert answer(client, source) == "[]\n"


@pytest.mark.parametrize("path", ["/sys/kernel", "/root", "/home", "/var", "/run", "/boot", "/etc/shadow", "/etc/ssh",
                                  "/proc/sys", "/proc/kallsyms", "/dev/mem", "/dev/kmsg", "/dev/fuse"])
def test_host_paths_are_not_there(client, path):
    source = f"import os; print(os.path.lexists({path!r}) and (not os.path.isdir({path!r}) or os.listdir({path!r})))"
    assert answer(client, source) == "False\n"


def test_device_directory_is_minimal(client):
    devices = set(json.loads(answer(client, "import json, os; print(json.dumps(os.listdir('/dev')))")))
    assert devices <= {"null", "zero", "full", "random", "urandom", "fd", "stdin", "stdout", "stderr", "shm", "pts", "ptmx", "tty"}
    assert {"null", "zero", "urandom", "shm"} <= devices


@pytest.mark.parametrize("path", ["/", "/usr", "/usr/bin", "/etc", "/dev", "/proc"])
def test_nothing_but_the_work_directories_is_writable(client, path):
    source = f"""
try:
    open({path!r} + "/planted", "w"); print("written")
except OSError: print("refused")
"""
    assert answer(client, source) == "refused\n"


@pytest.mark.parametrize("path", ["/box", "/tmp", "/dev/shm"])
def test_work_directories_are_writable(client, path):
    assert answer(client, f"open('{path}/f', 'w').write('x'); print(open('{path}/f').read())") == "x\n"


def test_runs_see_nothing_of_each_other(client):
    answer(client, "open('/tmp/left', 'w').write('secret'); open('/box/left', 'w').write('secret')")
    source = "import os; print(os.path.exists('/tmp/left'), os.path.exists('/box/left'), os.listdir('/box'))"
    assert answer(client, source) == "False False ['main.py']\n"


def test_host_name_is_not_the_hosts(client):
    with open("/proc/sys/kernel/hostname", encoding="utf-8") as file:
        hosts = file.read().strip()
    assert answer(client, "import os; print(os.uname().nodename)").strip() != hosts


def test_network_has_no_usable_interface(client):
    source = """
import socket
try: print(sorted(name for _, name in socket.if_nameindex()))
except OSError: print([])
"""
    assert answer(client, source) in ("[]\n", "['lo']\n")


def test_python_is_the_profiles_interpreter(client):
    assert answer(client, "import sys; print(sys.executable)") == "/usr/bin/python3\n"


def test_file_creation_mask_is_fixed(client):
    assert answer(client, "import os; m = os.umask(0); print(oct(m))") in ("0o22\n", "0o77\n")
