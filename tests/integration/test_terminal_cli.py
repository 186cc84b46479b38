"""`caisson run --tty` through a real pseudoterminal: it behaves like the same program on a local one."""

import os
import re
import signal
import subprocess
import termios

import pytest

from support.environment import CAISSON
from support.pseudoterminal import Terminal

REPL = """
import code
def spin():
    print("busy")
    while True: pass
code.interact(banner="ready", exitmsg="bye", local={"spin": spin})
"""
SIZES = """
import os, signal, sys
def tell(*_):
    size = os.get_terminal_size()
    os.write(1, b"size %d %d\\n" % (size.lines, size.columns))
signal.signal(signal.SIGWINCH, tell)
tell()
for line in sys.stdin:
    print("got", line.strip(), flush=True)
print("end", flush=True)
"""


@pytest.fixture
def terminal(daemon, tmp_path):
    opened = []

    def start(source, *options, **size):
        path = tmp_path / "main.py"
        path.write_text(source)
        opened.append(Terminal([str(CAISSON), "run", "--tty", *options, str(path)], {"CAISSON_SOCKET": daemon.address}, **size))
        return opened[-1]

    yield start
    for one in opened:
        one.close()


def converse(session):
    """What a person sees of one scripted session with an interpreter."""
    seen = [session.expect(rb">>> ")]
    for line, answer in [(b"1 + 1\n", rb"2\r\n>>> "), (b"print('\\033[31mred\\033[0m')\n", rb"red\x1b\[0m\r\n>>> "),
                         (b"spin()\n", rb"\nbusy\r\n"), (b"\x03", rb"KeyboardInterrupt\r\n>>> "),
                         (b"input('name? ')\nAda\n", rb"'Ada'\r\n>>> ")]:
        session.send(line)
        seen.append(session.expect(answer))
    session.send(b"\x04")
    seen.append(session.expect(rb"bye\r\n"))
    return seen


def test_interpreter_on_it_is_the_one_on_a_local_terminal(terminal, tmp_path):
    local_path = tmp_path / "local.py"
    local_path.write_text(REPL)
    local = Terminal(["/usr/bin/python3", str(local_path)])
    try:
        expected = converse(local)
        assert local.wait() == 0
    finally:
        local.close()
    remote = terminal(REPL)
    # Where the interpreter prints a traceback, the files' names, and how deep and in which line it was just then, differ; nothing
    # else may.
    def clean(parts):
        return [re.sub(rb'(  File [^\r]*\r\n(    [^\r]*\r\n)?)+', b"  File\r\n", part) for part in parts]
    assert clean(converse(remote)) == clean(expected)
    assert remote.wait() == 0


def test_size_is_given_at_the_start_and_follows(terminal):
    session = terminal(SIZES, rows=33, columns=77)
    session.expect(rb"size 33 77\r\n")
    session.resize(50, 120)
    session.expect(rb"size 50 120\r\n")
    session.send(b"\x04")
    session.expect(rb"end\r\n")
    assert session.wait() == 0


def test_ctrl_c_reaches_the_program_and_not_caisson(terminal):
    session = terminal("try:\n    print('here', flush=True)\n    while True: pass\nexcept KeyboardInterrupt:\n    raise SystemExit(7)\n")
    session.expect(rb"here\r\n")
    session.send(b"\x03")
    assert session.wait() == 7


def test_terminal_is_put_back_whatever_happens(terminal):
    for end in (b"\x04", b"\x03"):
        session = terminal(SIZES)
        session.expect(rb"size")
        assert not termios.tcgetattr(session.slave)[3] & termios.ECHO, "raw: the far end echoes"
        session.send(end)
        session.wait()
        assert termios.tcgetattr(session.slave) == session.before
    session = terminal(SIZES)
    session.expect(rb"size")
    session.process.send_signal(signal.SIGTERM)
    assert session.wait() == 130
    assert termios.tcgetattr(session.slave) == session.before


def test_typed_line_is_echoed_once_and_read_once(terminal):
    session = terminal(SIZES)
    session.expect(rb"size \d+ \d+\r\n")
    session.send(b"hello\n")
    assert session.expect(rb"got hello\r\n") == b"hello\r\ngot hello\r\n"


def test_it_is_a_terminal_of_the_runs_own(terminal):
    session = terminal("import os, sys\nprint([os.isatty(fd) for fd in (0, 1, 2)], os.ttyname(0), open('/dev/tty').isatty(), os.environ['TERM'])\n"
                       "print(os.listdir('/dev/pts'))\n")
    session.expect(rb"\[True, True, True\] /dev/pts/0 True xterm\r\n")
    listed = session.expect(rb"\]\r\n")
    assert set(re.findall(rb"'([^']*)'", listed)) <= {b"0", b"ptmx"}
    assert session.wait() == 0


def test_pager_shows_a_page_and_leaves(terminal):
    if not os.path.exists("/usr/bin/less"):
        pytest.fail("less is not installed: tools/setup.sh brings it for the tests")
    session = terminal("import subprocess\nopen('text', 'w').write('\\n'.join(f'line {i}' for i in range(200)))\n"
                       "raise SystemExit(subprocess.run(['/usr/bin/less', 'text']).returncode)\n", rows=10, columns=40)
    session.expect(rb"line 8")
    session.send(b" ")
    session.expect(rb"line 16")
    session.send(b"q")
    assert session.wait() == 0


def test_without_tty_a_terminals_lines_are_sent_as_they_are_typed(daemon, tmp_path):
    path = tmp_path / "main.py"
    path.write_text("import sys\nprint('ready', sys.stdin.isatty(), flush=True)\nfor line in sys.stdin:\n    print('got', line.strip(), flush=True)\n")
    session = Terminal([str(CAISSON), "run", str(path)], {"CAISSON_SOCKET": daemon.address})
    try:
        session.expect(rb"ready False\r\n")
        session.send(b"one\n")
        session.expect(rb"got one\r\n")
        session.send(b"two\n")
        session.expect(rb"got two\r\n")
        session.send(b"\x04")
        assert session.wait() == 0
    finally:
        session.close()


def test_tty_needs_a_terminal(daemon, tmp_path):
    path = tmp_path / "main.py"
    path.write_text("pass")
    done = subprocess.run([CAISSON, "run", "--socket", daemon.address, "--tty", path], stdin=subprocess.DEVNULL, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (2, b"caisson: run: --tty needs a terminal on standard input\n")


@pytest.mark.parametrize("options, complaint", [
    (["--tty", "--json"], b"--tty and --json exclude each other"),
    (["--tty", "-n"], b"--tty and --interactive need standard input"),
    (["--interactive", "--no-stdin"], b"--tty and --interactive need standard input"),
])
def test_options_that_contradict_are_wrong_usage(daemon, tmp_path, options, complaint):
    path = tmp_path / "main.py"
    path.write_text("pass")
    done = subprocess.run([CAISSON, "run", "--socket", daemon.address, *options, path], stdin=subprocess.DEVNULL, capture_output=True, check=False)
    assert done.returncode == 2 and complaint in done.stderr


