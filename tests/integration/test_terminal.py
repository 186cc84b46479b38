"""A run with a terminal, through the API: it behaves like the local one. What is inside is in session_terminal_test.cc."""

import json
import os
import time

import pytest

from support.client import Client
from support.environment import scaled
from support.interaction import Interaction


@pytest.fixture
def talk(client):
    opened = []

    def start(source, rows=24, columns=80, **fields):
        opened.append(Interaction(client).open(source, terminal={"rows": rows, "columns": columns}, **fields))
        return opened[-1]

    yield start
    for one in opened:
        one.half_close()
        one.cancel()


REPL = "import code, readline\ncode.interact(banner='ready', exitmsg='bye')\n"


def test_a_prompt_answers_line_by_line_and_ends_with_control_d(talk):
    session = talk(REPL)
    session.expect(b">>> ")
    session.send(stdin=b"6 * 7\n")
    session.expect(b"42\r\n")
    session.send(stdin=b"import os; os.isatty(0), os.environ['TERM']\n")
    session.expect(b"(True, 'xterm-256color')")
    session.expect(b">>> ")  # Control-D before the editor has the terminal is lost, as it is locally
    session.eof()
    outcome = session.finish()
    assert outcome.verdict() == "COMPLETED" and outcome.result.exit_code == 0
    assert b"bye" in outcome.stdout and outcome.stderr == b""
    assert outcome.denials() == {}


def test_a_line_editor_moves_and_recalls(talk):
    session = talk(REPL)
    session.expect(b">>> ")
    session.send(stdin=b"'12'\x1b[D0\n")  # left, then a 0 before the quote
    session.expect(b"'120'\r\n")
    session.expect(b">>> ")
    session.send(stdin=b"\x1b[A\n")  # the last line again
    session.expect(b"'120'\r\n")
    session.expect(b">>> ")
    session.eof()
    assert session.finish().result.exit_code == 0


def test_control_c_interrupts_a_line_and_the_program_goes_on(talk):
    session = talk(REPL)
    session.expect(b">>> ")
    session.send(stdin=b"import time; time.sleep(60)\n")
    session.expect(b"sleep(60)\r\n")
    session.send(stdin=b"\x03")
    session.expect(b"KeyboardInterrupt")
    session.expect(b">>> ")
    session.send(stdin=b"'still ' + 'here'\n")
    session.expect(b"'still here'")
    session.expect(b">>> ")
    session.eof()
    assert session.finish().verdict() == "COMPLETED"


def test_size_is_known_from_the_start_and_a_change_is_told(talk):
    session = talk("""
import os, signal, time
def resized(*_):
    os.write(1, f"then {tuple(os.get_terminal_size())}".encode())  # not print(), which the signal may interrupt
    os._exit(0)
signal.signal(signal.SIGWINCH, resized)
print("first", tuple(os.get_terminal_size()), flush=True)
while True:
    time.sleep(1)
""", rows=10, columns=50)
    session.expect(b"first (50, 10)")
    session.send(resize=session.api.InteractRequest.Resize(rows=33, columns=99))
    session.expect(b"then (99, 33)")
    assert session.finish().verdict() == "COMPLETED"


@pytest.fixture
def bash(client):
    profiles = client.stub.ListProfiles(client.api.run.ListProfilesRequest()).profiles
    if not any(profile.name == "bash" and profile.available for profile in profiles):
        pytest.skip("bash is not installed")


@pytest.mark.usefixtures("bash")
def test_a_shell_has_job_control(talk):
    session = talk("exec bash --norc --noprofile -i\n", profile="bash", env={"PS1": "$ "})
    session.expect(b"$ ")
    # Both words are said by the job itself, so that the terminal is the job's when the keys arrive. One process: a shell
    # that is stopped while it starts another waits for that one, here as anywhere.
    session.send(stdin=b"""perl -e '$|=1; $SIG{CONT}=sub{print "again\\n"}; print "here\\n"; sleep 9 while 1'\n""")
    session.expect(b"here\r\n")
    session.send(stdin=b"\x1a")  # Control-Z
    session.expect(b"Stopped")
    session.expect(b"$ ")
    session.send(stdin=b"fg\n")
    session.expect(b"again\r\n")
    session.send(stdin=b"\x03")
    session.expect(b"$ ")
    session.send(stdin=b"echo $?\n")
    session.expect(b"130\r\n")
    session.send(stdin=b"exit 7\n")
    outcome = session.finish()
    assert outcome.verdict() == "COMPLETED" and outcome.result.exit_code == 7
    assert b"no job control" not in outcome.stdout
    assert outcome.denials() == {}


def test_output_of_a_program_that_ends_at_once_is_whole(talk):
    outcome = talk("import os\nos.write(1, b'x' * 50000)\nos._exit(0)\n").finish()
    assert outcome.stdout == b"x" * 50000


@pytest.mark.usefixtures("bash")
def test_a_shell_that_asks_by_the_terminals_name_while_its_streams_are_elsewhere(talk):
    session = talk('''
exec </dev/null >/box/log 2>&1
sleep 0.3
printf 'Password: ' >/dev/tty
sleep 0.3
read x </dev/tty
echo "got $x" >/dev/tty
''', profile="bash")
    session.expect(b"Password: ")
    session.send(stdin=b"secret\n")
    session.expect(b"got secret\r\n")
    assert session.finish().verdict() == "COMPLETED"


def test_output_after_a_time_without_any_descriptor_of_the_terminal_is_whole(talk):
    outcome = talk('''
import os, time
os.write(1, b"first\\n")
for fd in (0, 1, 2):
    os.close(fd)
time.sleep(0.5)
fd = os.open("/dev/tty", os.O_RDWR)
for _ in range(2000):
    os.write(fd, b"x" * 60 + b"\\n")
''', limits={"wall_time_ms": 20_000}).finish()
    assert outcome.verdict() == "COMPLETED"
    assert outcome.stdout == b"first\r\n" + (b"x" * 60 + b"\r\n") * 2000
    assert outcome.result.stdout.bytes == len(outcome.stdout)


def test_a_program_without_its_terminal_ends_when_it_ends(talk):
    begin = time.monotonic()
    outcome = talk('''
import os
for fd in (0, 1, 2):
    os.close(fd)
os._exit(3)
''', output_paths=["none"]).finish()
    assert outcome.verdict() == "COMPLETED" and outcome.result.exit_code == 3
    assert time.monotonic() - begin < scaled(3)


def test_a_profile_that_offers_no_terminal(make_daemon):
    daemon = make_daemon(start=False)
    daemon.write_files()
    profile = daemon.profiles_dir / "silent.json"
    profile.write_text(json.dumps({"schema_version": 1, "name": "silent", "extends": "python", "interactive": False}))
    os.chmod(profile, 0o644)
    daemon.start()
    client = Client(daemon.address)
    try:
        listed = {entry.name: entry.interactive for entry in client.stub.ListProfiles(client.api.run.ListProfilesRequest()).profiles}
        assert listed["python"] and not listed["silent"]
        refusal = Interaction(client).open("pass", terminal={}, profile="silent").refused()
        assert refusal.fields == ["terminal"] and "silent offers none" in refusal.message + str(refusal)
    finally:
        client.close()
