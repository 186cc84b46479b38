"""Piston's WebSocket: its messages and its close codes."""

import signal

import pytest

from support.gateway import Gateway
from support.web_socket import HANDSHAKE, Talk

ECHO = "print('ready', flush=True)\nwhile True: print('got', input(), flush=True)"
FOREVER = "import time\nprint('here', flush=True)\ntime.sleep(100)"


class Connection(Talk):
    """Messages as they come, in `messages`."""

    def __init__(self, gateway, source=None, **fields):
        super().__init__(gateway, "/api/v2/connect", ())
        self.messages = []
        if source is not None:
            self.init(source, **fields)

    def init(self, source, **fields):
        return self.send(type="init", **{"language": "python", "version": "*", "files": [{"content": source}], **fields})

    def event(self):
        message = self.receive()
        if message is not None:
            self.messages.append(message)
        return message

    def text(self):
        return "".join(one["data"] for one in self.messages if one["type"] == "data")

    def of(self, kind):
        return [{name: value for name, value in one.items() if name != "type"} for one in self.messages if one["type"] == kind]


def test_a_program_is_talked_to(gateway):
    with Connection(gateway, ECHO) as talk:
        talk.until_output("ready\n")
        talk.send(type="data", stream="stdin", data="één\n").until_output("got één\n")
        talk.send(type="signal", signal="SIGTERM").finish()
    assert (talk.code, talk.reason) == (4999, "Job Completed")
    assert [one["type"] for one in talk.messages][:2] == ["runtime", "stage"]
    assert talk.of("stage") == [{"stage": "run"}] and talk.of("exit") == [{"stage": "run", "code": None, "signal": "SIGTERM"}]
    assert talk.of("runtime")[0]["language"] == "python"


def test_a_compiled_program_has_two_stages(gateway):
    source = '#include <stdio.h>\nint main(void) { fputs("err", stderr); return 7; }'
    with Connection(gateway, source, language="c") as talk:
        talk.finish()
    assert [one["type"] for one in talk.messages] == ["runtime", "stage", "exit", "stage", "data", "exit"]
    assert talk.of("stage") == [{"stage": "compile"}, {"stage": "run"}]
    assert talk.of("exit") == [{"stage": "compile", "code": 0, "signal": None}, {"stage": "run", "code": 7, "signal": None}]
    assert talk.of("data") == [{"stream": "stderr", "data": "err"}]


def test_a_compiler_that_fails_ends_the_job(gateway):
    with Connection(gateway, "nonsense", language="c") as talk:
        talk.finish()
    assert talk.code == 4999 and talk.of("exit") == [{"stage": "compile", "code": 1, "signal": None}]
    assert "error" in talk.text()


def test_kill_ends_the_run(gateway):
    with Connection(gateway, FOREVER) as talk:
        talk.until_output("here\n").send(type="signal", signal="SIGKILL").finish()
    assert talk.of("exit") == [{"stage": "run", "code": None, "signal": "SIGKILL"}] and talk.code == 4999


def test_what_has_no_type_that_is_known_is_passed_over(gateway):
    with Connection(gateway, ECHO) as talk:
        talk.until_output("ready\n").send(type="shout").send(no="type")
        talk.send(type="data", stream="stdin", data="x\n").until_output("got x\n")


@pytest.mark.parametrize("message, code", [
    ({"type": "init"}, 4000),
    ({"type": "data", "stream": "stdout", "data": "x"}, 4004),
    ({"type": "data"}, 4004),
    ({"type": "signal", "signal": "SIGNONE"}, 4005),
    ({"type": "signal", "signal": "INT"}, 4005),
    ({"type": "signal"}, 4005),
])
def test_a_message_out_of_place_has_its_close_code_and_ends_the_run(gateway, gateway_daemon, message, code):
    with Connection(gateway, FOREVER) as talk:
        talk.until_output("here\n").send(**message).finish()
        assert talk.code == code
        assert gateway_daemon.runs_are_gone()


@pytest.mark.parametrize("message, code", [
    ({"type": "data", "stream": "stdin", "data": "x"}, 4003),
    ({"type": "signal", "signal": "SIGINT"}, 4003),
    ({}, 4003),
    ({"type": "init"}, 4002),
    ({"type": "init", "language": "python", "version": "1.x", "files": [{"content": ""}]}, 4002),
])
def test_a_first_message_that_begins_nothing_has_its_close_code(gateway, message, code):
    with Connection(gateway) as talk:
        talk.send(**message).finish()
    assert talk.code == code and len(talk.of("error")) == (1 if code == 4002 else 0)


def test_what_the_daemon_refuses_is_an_error(gateway):
    with Connection(gateway, "pass", files=[{"name": "../x", "content": ""}]) as talk:
        talk.finish()
    assert talk.code == 4002 and "files[0].path" in talk.of("error")[0]["message"]


@pytest.mark.parametrize("first", [True, False])
def test_what_is_no_json_is_an_error(gateway, first):
    with Connection(gateway, None if first else FOREVER) as talk:
        talk.connection.send("{")
        talk.finish()
    assert talk.code == 4002 and "JSON" in talk.of("error")[0]["message"]


def test_who_begins_nothing_within_a_second_is_closed(gateway):
    with Connection(gateway) as talk:
        talk.finish()
    assert (talk.code, talk.reason) == (4001, "Initialization Timeout")


def test_a_client_that_goes_away_ends_its_run(gateway, gateway_daemon):
    with Connection(gateway, FOREVER) as talk:
        talk.until_output("here\n")
    assert gateway_daemon.runs_are_gone()


def test_a_gateway_that_is_stopped_says_so(gateway_daemon):
    with Gateway(gateway_daemon.address, "--grace-ms", "100") as mine, Connection(mine, FOREVER) as talk:
        talk.until_output("here\n")
        mine.process.send_signal(signal.SIGTERM)
        talk.finish()
        assert talk.code == 1001 and "stopped" in talk.of("error")[0]["message"]


def test_pages_of_other_origins_get_no_connection(gateway):
    headers = {**HANDSHAKE, "Origin": "https://evil.example.org"}
    assert gateway.request("GET", "/api/v2/connect", **headers).status == 403
    answer = gateway.request("GET", "/api/v2/connect")
    assert answer.status == 426 and answer.json()["message"]
