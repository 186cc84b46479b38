"""Interact: input as it is typed, signals, cancellation, and every message where it has no place."""

import grpc
import pytest

from support import processes
from support.client import Refusal, request
from support.environment import scaled
from support.interaction import Interaction

ECHO = "import sys\nprint('ready', flush=True)\nfor line in sys.stdin:\n    print('got', line.strip(), flush=True)\nprint('end', flush=True)"
SIGNALS = """
import os, signal, sys
names = ["SIGHUP", "SIGINT", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGALRM", "SIGTERM", "SIGCONT", "SIGTSTP", "SIGWINCH"]
for name in names:
    signal.signal(getattr(signal, name), lambda number, _: os.write(1, signal.Signals(number).name.encode() + bytes([10])))
print("ready", flush=True)
sys.stdin.read()
"""
MIB = 1024 * 1024


@pytest.fixture
def interact(client):
    opened = []

    def start():
        opened.append(Interaction(client))
        return opened[-1]

    yield start
    for one in opened:
        one.half_close()
        one.cancel()


def test_lines_are_answered_as_they_are_typed(interact):
    call = interact().open(ECHO)
    call.until_output(b"ready\n")
    for line in (b"one\n", b"two\n"):
        call.send(stdin=line)
        call.until_output(b"got " + line)
    outcome = call.eof().finish()
    assert outcome.stdout.endswith(b"end\n") and outcome.result.exit_code == 0


def test_half_close_is_the_end_of_input(interact):
    call = interact().open(ECHO).send(stdin=b"last\n").half_close()
    assert call.finish().stdout == b"ready\ngot last\nend\n"


def test_stdin_of_the_request_comes_first(interact):
    outcome = interact().open(ECHO, stdin=b"first\n").send(stdin=b"second\n").eof().finish()
    assert outcome.stdout == b"ready\ngot first\ngot second\nend\n"


def test_cancel_is_read_while_stdin_of_the_request_waits(interact):
    call = interact().open("import time\nprint('ready', flush=True)\ntime.sleep(9)", stdin=bytes(MIB))
    call.until_output(b"ready\n")
    call.send(cancel=call.api.InteractRequest.Cancel())
    assert call.finish().verdict() == "CANCELED"


def test_every_signal_on_the_list_arrives(interact):
    call = interact().open(SIGNALS)
    call.until_output(b"ready\n")
    for name in ("HUP", "INT", "QUIT", "USR1", "USR2", "ALRM", "TERM", "CONT", "TSTP", "WINCH"):
        call.signal(name)
        call.until_output(b"SIG" + name.encode() + b"\n")
    assert call.eof().finish().result.exit_code == 0


def test_signal_sent_with_the_opening_reaches_the_program(interact):
    outcome = interact().open("import time\ntime.sleep(60)").signal("TERM").finish()
    assert outcome.verdict() == "SIGNALED" and outcome.result.signal == 15


def test_thousand_signals_are_merged_and_harm_nobody(interact, client):
    call = interact().open(SIGNALS)
    call.until_output(b"ready\n")
    for _ in range(1000):
        call.signal("USR1")
    call.until_output(b"SIGUSR1\n")
    call.eof()
    outcome = call.finish()
    assert outcome.result.exit_code == 0
    assert 1 <= outcome.stdout.count(b"SIGUSR1\n") <= 1000
    assert client.execute("print(1)").stdout == b"1\n"


def test_cancel_ends_the_run_as_the_clients_wish(interact, client):
    call = interact().open("import time\nprint('here', flush=True)\ntime.sleep(60)")
    call.until_output(b"here\n")
    outcome = call.send(cancel=client.api.run.InteractRequest.Cancel()).finish()
    assert outcome.verdict() == "CANCELED" and outcome.result.message == "Canceled: the client asked for it."


def test_client_that_hangs_up_ends_its_run(interact, daemon):
    call = interact().open("import time\nprint('here', flush=True)\ntime.sleep(60)")
    call.until_output(b"here\n")
    call.cancel()
    assert processes.wait_until(lambda: daemon.run_pids() == [], scaled(5))


@pytest.mark.parametrize("message, complaint", [
    ({"stdin": b"x"}, "the first message must be open"),
    ({}, "the first message must be open"),
], ids=["stdin", "nothing"])
def test_first_message_must_open(interact, message, complaint):
    refusal = interact().send(**message).refused()
    assert (refusal.code, refusal.reason, refusal.message) == (grpc.StatusCode.FAILED_PRECONDITION, "INPUT_OUT_OF_ORDER", complaint)


def test_call_that_ends_before_it_opens_is_told(interact):
    refusal = interact().half_close().refused()
    assert refusal.reason == "INPUT_OUT_OF_ORDER" and "before it was opened" in refusal.message


def test_invalid_request_is_refused_as_with_execute(interact):
    refusal = interact().open("pass", limits={"pids": 0}).refused()
    assert refusal.reason == "INVALID_REQUEST" and refusal.fields == ["limits.pids"]


@pytest.mark.parametrize("terminal, field", [
    ({"rows": 1001}, "terminal.rows"), ({"columns": 1001}, "terminal.columns"), ({"term": "a/b"}, "terminal.term"), ({"term": "x" * 65}, "terminal.term"),
])
def test_terminal_out_of_range_is_refused(interact, terminal, field):
    refusal = interact().open("pass", terminal=terminal).refused()
    assert refusal.reason == "INVALID_REQUEST" and refusal.fields == [field]


def misplaced(api):
    message = api.InteractRequest
    return {
        "open came a second time": [{"open": message.Open(request=request("pass"))}],
        "stdin came after eof": [{"eof": message.Eof()}, {"stdin": b"x"}],
        "eof came a second time": [{"eof": message.Eof()}, {"eof": message.Eof()}],
        "a stdin message of more than 65536 bytes": [{"stdin": b"x" * 65537}],
        "a signal that is not on the list": [{"signal": message.Signal(name="KILL")}],
        "resize came to a run without a terminal": [{"resize": message.Resize(rows=10, columns=10)}],
        "a file came after the run was submitted": [{"file": message.FileChunk(path="x", last=True)}],
        "a message without content, or with a field this server does not know": [{}],
    }


@pytest.mark.parametrize("number", range(8))
def test_message_out_of_place_cancels_the_run_and_is_named(interact, client, number):
    complaint, messages = list(misplaced(client.api.run).items())[number]
    call = interact().open("import time\nprint('here', flush=True)\ntime.sleep(60)")
    call.until_output(b"here\n")
    for message in messages:
        call.send(**message)
    outcome = call.finish()
    assert outcome.verdict() == "CANCELED" and outcome.result.message == f"Canceled: {complaint}."


@pytest.mark.parametrize("field", ["files[0].path", "terminal.term", "file.path"])
def test_invalid_utf8_before_the_run_is_refused_naming_the_field(client, field):
    api = client.api.run.InteractRequest
    messages = {
        "files[0].path": [api(open=api.Open(request=request(files={"bad_.py": ""})))],
        "terminal.term": [api(open=api.Open(request=request("pass"), terminal=api.Terminal(term="bad_.py")))],
        "file.path": [api(open=api.Open(request=request("pass"), files_to_follow=1)),
                      api(file=api.FileChunk(path="bad_.py", last=True))],
    }[field]
    # No stub would send such bytes.
    method = client.channel.stream_stream("/caisson.v1.RunService/Interact", request_serializer=None, response_deserializer=None)
    with pytest.raises(grpc.RpcError) as error:
        list(method(iter([message.SerializeToString().replace(b"bad_", b"bad\xff") for message in messages]), timeout=scaled(10)))
    refusal = Refusal.of(error.value)
    assert (refusal.reason, refusal.fields) == ("INVALID_REQUEST", [field])


def test_message_of_too_many_fields_is_refused_as_such(client):
    refusal = Interaction(client).open("pass", args=[""] * 16_384).refused()
    assert (refusal.reason, refusal.fields) == ("INVALID_REQUEST", ["InteractRequest"]) and "more than 16384 fields" in str(refusal)


def test_message_out_of_place_in_the_queue_is_a_status(make_daemon):
    from support.client import Client  # pylint: disable=import-outside-toplevel
    daemon = make_daemon(max_runs=1)
    client = Client(daemon.address)
    first = client.start(request("import time\nprint('here', flush=True)\ntime.sleep(60)"))
    first.until_output(b"here\n")
    waiting = Interaction(client).open("pass")
    waiting.until("queued")
    refusal = waiting.send(open=client.api.run.InteractRequest.Open()).refused()
    assert refusal.reason == "INPUT_OUT_OF_ORDER" and refusal.message == "open came a second time"
    waiting.half_close()
    first.cancel()
    client.close()


def test_input_nobody_reads_waits_in_the_client(interact, daemon, client):
    dispatcher = daemon.dispatcher_pid()
    call = interact().open("import time\nprint('here', flush=True)\ntime.sleep(60)")
    call.until_output(b"here\n")
    before = processes.resident_bytes(dispatcher)
    for _ in range(64 * 16):
        call.send(stdin=b"x" * 65536)
    assert client.execute("print(1)").stdout == b"1\n", "others are served meanwhile"
    assert processes.resident_bytes(dispatcher) - before < 16 * MIB
    call.cancel()


def test_input_that_is_read_arrives_whole(interact):
    call = interact().open("import hashlib, sys\nprint(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())")
    import hashlib  # pylint: disable=import-outside-toplevel
    digest = hashlib.sha256()
    for number in range(200):
        piece = bytes([number]) * 60_000
        digest.update(piece)
        call.send(stdin=piece)
    assert call.eof().finish().stdout.decode().strip() == digest.hexdigest()


def test_program_that_closes_its_input_goes_on(interact):
    call = interact().open("import os, sys\nos.close(0)\nprint('closed', flush=True)\nimport time\ntime.sleep(0.5)\nprint('end')")
    call.until_output(b"closed\n")
    for _ in range(50):
        call.send(stdin=b"x" * 60_000)
    assert call.eof().finish().stdout == b"closed\nend\n"
