"""Programs that are talked to, through the Python client."""

import signal
import threading

import pytest

from support import processes
from support.environment import scaled

ECHO = "import sys\nprint('ready', flush=True)\nfor line in sys.stdin:\n    print(line.strip()[::-1], flush=True)\nprint('eof')"

# Says "ready" and, when the signal comes, something else; a handler that prints could interrupt a print.
AWAITS = """
import os, signal
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIG{0}])
print('ready', flush=True)
signal.sigwait([signal.SIG{0}])
print({1}, flush=True)
while True: signal.pause()
"""


def expect(caisson, session, text):
    """Reads on until the program has written the text to its standard output."""
    seen = b""
    for event in session:
        if isinstance(event, caisson.Stdout):
            seen += event.data
        if text in seen:
            return seen
    raise AssertionError(f"{text} never came, but {seen}")


def test_a_conversation(caisson, connection):
    with connection.interact("python", ECHO) as session:
        expect(caisson, session, b"ready\n")
        session.write(b"abc\n")
        expect(caisson, session, b"cba\n")
        session.close_stdin()
        session.close_stdin()
        expect(caisson, session, b"eof\n")
        assert isinstance(list(session)[-1], caisson.Finished)
        assert session.result.ok
        with pytest.raises(caisson.SessionEnded) as error:
            session.signal("INT")
        assert isinstance(error.value, BrokenPipeError)
    with pytest.raises(ValueError, match="closed"):
        session.write(b"more\n")


def test_what_the_request_has_comes_before_what_is_written(caisson, connection):
    with connection.interact("python", ECHO, stdin="first\n", files={"data": "x"}, outputs=["data"]) as session:
        session.write(b"second\n")
        session.close_stdin()
        assert expect(caisson, session, b"eof\n") == b"ready\ntsrif\ndnoces\neof\n"
        assert [event.data for event in session if isinstance(event, caisson.OutputPiece)] == [b"x"]


def test_signals_reach_the_program(caisson, connection):
    with connection.interact("python", AWAITS.format("USR1", "'usr1'")) as session:
        expect(caisson, session, b"ready\n")
        session.signal("SIGUSR1")
        expect(caisson, session, b"usr1\n")
        session.signal(signal.SIGTERM)
        list(session)
        assert (session.result.verdict, session.result.signal) == (caisson.Verdict.SIGNALED, signal.SIGTERM)


def test_a_terminal_has_a_size_and_gets_another(caisson, connection):
    program = AWAITS.format("WINCH", "*os.get_terminal_size(), os.environ['TERM']")
    program = f"import os\nprint(*os.get_terminal_size(), os.environ['TERM'])\n{program}"
    with connection.interact("python", program, terminal=caisson.Terminal(rows=20, columns=60, term="dumb")) as session:
        assert b"60 20 dumb" in expect(caisson, session, b"ready")
        session.resize(rows=30, columns=100)
        expect(caisson, session, b"100 30 dumb")
        session.write(b"\x03")
        list(session)
        assert session.result.verdict is not caisson.Verdict.CANCELED and not session.result.ok


def test_cancel_and_leaving_end_the_run(caisson, connection, client, daemon):
    with connection.interact("python", ECHO) as session:
        expect(caisson, session, b"ready\n")
        session.cancel()
        assert list(session)[-1].result.verdict is caisson.Verdict.CANCELED
    with connection.interact("python", ECHO) as session:
        expect(caisson, session, b"ready\n")
    assert processes.wait_until(lambda: daemon.run_pids() == [] and client.live_runs() == [], scaled(2))
    with pytest.raises(caisson.SessionEnded):
        session.write(b"x")


def test_large_files_come_before_the_conversation(caisson, connection):
    with connection.interact("python", "import os\nprint(os.stat('large').st_size, input())", files={"large": bytes(20 << 20)}) as session:
        session.write(b"hello\n")
        expect(caisson, session, b"20971520 hello\n")


def test_a_writer_waits_for_a_program_that_does_not_read(caisson, daemon):
    program = "import time\nprint('ready', flush=True)\ntime.sleep(60)"
    with caisson.Caisson(daemon.address) as connection, connection.interact("python", program) as session:
        expect(caisson, session, b"ready\n")
        written = []

        def write():
            with pytest.raises(caisson.SessionEnded):
                for number in range(1024):
                    session.write(b"x" * 65536)
                    written.append(number)

        writer = threading.Thread(target=write)
        writer.start()
        assert processes.wait_until(lambda: len(written) > 16, scaled(10))
        writer.join(0.5)  # it would be through in that time if it did not wait
        assert writer.is_alive() and len(written) < 256
        session.cancel()
        list(session)
        writer.join(scaled(10))
        assert session.result.verdict is caisson.Verdict.CANCELED and not writer.is_alive()


def test_refusals_are_raised_by_the_iteration(caisson, connection):
    for options in ({"pids": 10**9}, {"main_file": "../x"}):
        with connection.interact("python", "x", **options) as session, pytest.raises(caisson.InvalidRequest):
            list(session)
    with connection.interact("python", "x", terminal=caisson.Terminal(rows=2000)) as session, pytest.raises(caisson.InvalidRequest):
        list(session)
