"""Each route of the gateway, against a real daemon."""

import base64
import re

from support.gateway import python_run

EVENTS = {"Accept": "text/event-stream"}
NOBODY = "0" * 32


def test_a_run_is_one_json_object(gateway):
    answer = gateway.request("POST", "/v1/runs:execute", python_run("import sys\nprint('hé')\nprint('e', file=sys.stderr)\nsys.exit(3)"))
    assert answer.status == 200 and answer.headers["content-type"] == "application/json"
    run = answer.json()
    assert (run["stdout"], run["stderr"]) == ("hé\n", "e\n")
    assert run["result"]["verdict"] == "COMPLETED" and run["result"]["exit_code"] == 3
    assert re.fullmatch(r"runs/[0-9a-f]{32}", run["name"])


def test_bytes_that_are_no_text_come_in_base64(gateway):
    run = gateway.request("POST", "/v1/runs:execute", python_run("import sys\nsys.stdout.buffer.write(b'\\xff\\x00')")).json()
    assert "stdout" not in run and base64.b64decode(run["stdout_base64"]) == b"\xff\x00"


def test_stdin_and_files_come_as_text_or_base64(gateway):
    body = {"profile": "python", "main_file": "main.py", "stdin_text": "né\n", "output_paths": ["out"],
            "files": [{"path": "main.py", "content": base64.b64encode(b"print(input(), open('a').read())\nopen('out','w').write('o')").decode()},
                      {"path": "a", "text": "ä"}]}
    run = gateway.request("POST", "/v1/runs:execute", body).json()
    assert run["stdout"] == "né ä\n"
    assert run["output_files"] == [{"path": "out", "executable": False, "text": "o"}]


def test_a_compile_step_has_its_own_streams(gateway):
    source = "#warning careful\n#include <stdio.h>\nint main(void) { puts(\"c\"); return 0; }"
    run = gateway.request("POST", "/v1/runs:execute", {"profile": "c", "files": [{"path": "main.c", "text": source}]}).json()
    assert run["stdout"] == "c\n" and "careful" in run["compile"]["stderr"]


def test_events_come_in_order_with_a_schema_and_a_sequence(gateway):
    answer = gateway.request("POST", "/v1/runs:execute", python_run("print('hi')"), **EVENTS)
    assert answer.headers["content-type"] == "text/event-stream"
    events = answer.events()
    assert [name for name, _, _ in events] == ["open", "accepted", "started", "output", "step_finished", "finished"]
    assert [data["sequence"] for _, data, _ in events] == [1, 2, 3, 4, 5, 6]
    assert events[0][1]["schema"] == "caisson.run-events.v1"
    assert events[0][1]["request_id"] == answer.headers["x-request-id"]
    assert events[3][1] == {"sequence": 4, "stream": "STREAM_STDOUT", "step": "run", "offset": "0", "text": "hi\n"}


def test_a_character_cut_by_a_chunk_is_put_together(gateway):
    source = ("import os, time\nos.write(1, b'a\\xc3')\ntime.sleep(0.3)\nos.write(1, b'\\xa9b')\ntime.sleep(0.3)\nos.write(1, b'\\xe2\\x82')")
    events = gateway.request("POST", "/v1/runs:execute", python_run(source), **EVENTS).events()
    pieces = [(data["offset"], data.get("text"), data.get("base64")) for name, data, _ in events if name == "output"]
    assert pieces == [("0", "a", None), ("1", "éb", None), ("4", None, base64.b64encode(b"\xe2\x82").decode())]


def test_a_created_run_is_got_listed_followed_and_canceled(gateway):
    created = gateway.request("POST", "/v1/runs", python_run("print('x'*5, flush=True)\nimport time\ntime.sleep(100)", labels={"team": "a"})).json()
    name = created["name"]
    assert gateway.request("GET", f"/v1/{name}").json()["name"] == name
    listed = gateway.request("GET", "/v1/runs?page_size=10&filter=labels.team%20%3D%20%22a%22").json()
    assert [run["name"] for run in listed["runs"]] == [name]
    assert gateway.request("POST", f"/v1/{name}:cancel").status == 200
    events = gateway.request("GET", f"/v1/{name}:follow").events()
    assert events[-1][0] == "finished" and events[-1][1]["verdict"] == "CANCELED" and events[-1][2] == "end"


def test_a_follower_that_comes_again_gets_the_rest_and_then_nothing(gateway):
    name = gateway.request("POST", "/v1/runs", python_run("print('0123456789')")).json()["name"]
    first = gateway.request("GET", f"/v1/{name}:follow").events()
    output = next(event for event in first if event[0] == "output")
    assert output[2] == "0-0.11-0"
    again = gateway.request("GET", f"/v1/{name}:follow", Last_Event_ID="0-0.4-0").events()
    assert [data["text"] for kind, data, _ in again if kind == "output"] == ["456789\n"]
    assert [data["text"] for kind, data, _ in gateway.request("GET", f"/v1/{name}:follow?stdout=9").events() if kind == "output"] == ["9\n"]
    assert gateway.request("GET", f"/v1/{name}:follow", Last_Event_ID="end").status == 204


def test_the_server_the_profiles_and_the_health_are_told(gateway):
    assert gateway.request("GET", "/healthz").json() == {"status": "SERVING"}
    assert gateway.request("GET", "/v1/server").json()["api_revision"]
    assert "python" in [profile["name"] for profile in gateway.request("GET", "/v1/profiles").json()["profiles"]]


def test_a_refusal_is_a_problem_with_reason_and_fields(gateway):
    answer = gateway.request("POST", "/v1/runs:execute", python_run("x", profile="pyton"), X_Request_Id="my-1")
    problem = answer.json()
    assert answer.status == problem["status"] == 404 and answer.headers["content-type"] == "application/problem+json"
    assert (problem["code"], problem["reason"], problem["domain"]) == ("NOT_FOUND", "PROFILE_NOT_FOUND", "caisson.dev")
    assert problem["type"] == "urn:caisson:problem:profile-not-found"
    assert problem["instance"] == "urn:caisson:request:my-1" and answer.headers["x-request-id"] == "my-1"
    assert problem["metadata"]["nearest"] == "python"
    problem = gateway.request("POST", "/v1/runs", python_run("x", limits={"pids": "0"})).json()
    assert problem["reason"] == "INVALID_REQUEST" and problem["violations"][0]["field"] == "limits.pids"
    answer = gateway.request("GET", f"/v1/runs/{NOBODY}")
    assert (answer.status, answer.json()["reason"]) == (404, "RUN_NOT_FOUND")


def test_a_trace_goes_on_into_the_run(gateway):
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    run = gateway.request("POST", "/v1/runs", python_run("pass"), traceparent=trace).json()
    assert gateway.request("GET", f"/v1/{run['name']}").json()["traceparent"] == trace


def test_an_answer_beyond_its_size_is_refused_and_events_are_not(gateway):
    source = "import sys\nfor _ in range(9): sys.stdout.write('x' * (1 << 20))"
    body = python_run(source, limits={"output_bytes": str(16 << 20)})
    answer = gateway.request("POST", "/v1/runs:execute", body)
    assert (answer.status, answer.json()["reason"]) == (400, "ANSWER_TOO_LARGE")
    events = gateway.request("POST", "/v1/runs:execute", body, **EVENTS).events()
    assert sum(len(data["text"]) for kind, data, _ in events if kind == "output") == 9 << 20
