"""Piston's API, version 2, as its documentation has it; and docs/piston.md."""

import json
import re
import subprocess

import pytest

from support.environment import REPOSITORY, scaled
from support.gateway import Gateway


def job(source, **fields):
    return {"language": "python", "version": "*", "files": [{"content": source}], **fields}


def execute(gateway, body, **headers):
    return gateway.request("POST", "/api/v2/execute", body, **headers)


def run(gateway, source, **fields):
    answer = execute(gateway, job(source, **fields))
    assert answer.status == 200, answer.body
    return answer.json()["run"]


def test_runtimes_and_packages_are_the_profiles(gateway):
    runtimes = {one["language"]: one for one in gateway.request("GET", "/api/v2/runtimes").json()}
    assert {"python", "c"} <= set(runtimes)
    assert runtimes["python"]["aliases"][:2] == ["py", "py3"] and "runtime" not in runtimes["python"]
    assert runtimes["c"]["runtime"] == "gcc"
    assert re.fullmatch(r"\d+\.\d+\.\d+", runtimes["python"]["version"])
    packages = gateway.request("GET", "/api/v2/packages").json()
    assert {"language": "python", "language_version": runtimes["python"]["version"], "installed": True} in packages


def test_every_field_of_an_answer_is_there(gateway):
    answer = execute(gateway, job("import sys\nprint(sys.argv[1:], input())\nprint('err', file=sys.stderr)\nsys.exit(3)", args=["a", "b"], stdin="in"))
    body = answer.json()
    stage = body["run"]
    assert (answer.status, set(body), body["language"]) == (200, {"run", "language", "version"}, "python")
    assert set(stage) == {"stdout", "stderr", "output", "code", "signal", "message", "status", "cpu_time", "wall_time", "memory"}
    assert (stage["stdout"], stage["stderr"], stage["code"], stage["signal"]) == ("['a', 'b'] in\n", "err\n", 3, None)
    assert sorted(stage["output"].splitlines()) == ["['a', 'b'] in", "err"]
    assert stage["status"] == "RE" and stage["message"]
    assert stage["memory"] > 0 and stage["wall_time"] >= 0 and stage["cpu_time"] >= 0


@pytest.mark.parametrize("source, fields, status, signal", [
    ("pass", {}, None, None),
    ("import os; os.abort()", {}, "SG", "SIGABRT"),
    ("import time; time.sleep(60)", {"run_timeout": 300}, "TO", "SIGKILL"),
    ("while True: pass", {"run_cpu_time": 300}, "TO", "SIGKILL"),
    ("x = bytearray(200 << 20)\nimport time; time.sleep(60)", {"run_memory_limit": 64 << 20}, "SG", "SIGKILL"),
    ("print('x' * (2 << 20))", {}, "OL", "SIGKILL"),
    ("import sys; sys.stderr.write('x' * (2 << 20))", {}, "EL", "SIGKILL"),
], ids=["good", "signal", "wall", "cpu", "memory", "stdout", "stderr"])
def test_ends_have_pistons_status(gateway, source, fields, status, signal):
    stage = run(gateway, source, **fields)
    assert (stage["status"], stage["signal"], stage["code"]) == (status, signal, 0 if status is None else None)


def test_a_compiled_language_has_two_stages(gateway):
    source = '#include <stdio.h>\nint main(void) { puts("made"); return 0; }'
    body = execute(gateway, {"language": "gcc", "version": ">=1", "files": [{"name": "prog", "content": source}]}).json()
    assert (body["language"], body["compile"]["code"], body["run"]["stdout"]) == ("c", 0, "made\n")
    body = execute(gateway, {"language": "c", "version": "x", "files": [{"content": "nonsense"}]}).json()
    assert body["run"] == body["compile"] and body["run"]["code"] == 1 and "error" in body["compile"]["stderr"]


def test_files_of_every_encoding_are_there(gateway):
    files = [{"content": "print(open('a').read(), open('d/b').read())"}, {"name": "a", "content": "Zm9v", "encoding": "base64"},
             {"name": "d/b", "content": "626172", "encoding": "hex"}]
    assert execute(gateway, job("", files=files)).json()["run"]["stdout"] == "foo bar\n"


@pytest.mark.parametrize("body, says", [
    ({}, "language is required as a string"),
    ([], "language is required as a string"),
    ({"language": "python"}, "version is required as a string"),
    (job("", files=None), "files is required as an array"),
    (job("", files=[{}]), "files[0].content is required as a string"),
    (job("", language="cobol"), "cobol-* runtime is unknown"),
    (job("", version="1.x"), "python-1.x runtime is unknown"),
    (job("", run_timeout="1"), "If specified, run_timeout must be a number"),
    (job("", run_timeout=-1), "run_timeout must be non-negative"),
    (job("", run_timeout=301_000), "run_timeout cannot exceed the configured limit of 300000"),
    (job("", stdin=1), "stdin must be a string"),
    (job("", files=[{"name": "../x", "content": ""}]), "files[0].path"),
    (b"{", "not JSON"),
])
def test_a_request_that_is_wrong_is_400_with_a_message(gateway, body, says):
    answer = execute(gateway, body)
    assert (answer.status, answer.headers["content-type"], list(answer.json())) == (400, "application/json", ["message"])
    assert says in answer.json()["message"]


def test_another_content_type_is_415_and_another_origin_403(gateway):
    answer = execute(gateway, b"{}", Content_Type="text/plain")
    assert answer.status == 415 and "application/json" in answer.json()["message"]
    assert execute(gateway, job("pass"), Origin="https://evil.example.org").status == 403


def test_packages_are_not_installed_from_here(gateway):
    assert gateway.request("POST", "/api/v2/packages", {}).status == 405


def test_a_daemon_that_is_gone_is_503_with_a_message(make_daemon):
    daemon = make_daemon(ready_sandboxes=0, profiles=["python"])
    with Gateway(daemon.address) as mine:
        assert daemon.stop() == 0
        answer = execute(mine, job("pass"))
        assert answer.status == 503 and answer.json()["message"]


def test_example_answers_what_the_page_says(gateway):
    text = (REPOSITORY / "docs/piston.md").read_text()
    script, said = re.search(r"```\n(curl .*?)```\n\nanswers `(.*?)`", text, re.DOTALL).groups()
    script = script.replace("localhost:8080", f"localhost:{gateway.port}")
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=scaled(60), check=True)
    shown = json.loads(said.replace(",…", "").replace("3.…", json.loads(done.stdout)["version"]))
    answer = json.loads(done.stdout)
    assert shown == {**answer, "run": {name: answer["run"][name] for name in shown["run"]}}


def test_verdicts_of_the_page_are_all_there_are(gateway):  # pylint: disable=unused-argument
    proto = (REPOSITORY / "proto/caisson/v1/run.proto").read_text()
    verdicts = set(re.findall(r"^  ([A-Z_]+) = ", re.search(r"enum Verdict \{(.*?)\n\}", proto, re.DOTALL)[1], re.MULTILINE))
    page = (REPOSITORY / "docs/piston.md").read_text()
    table = page[page.index("| verdict |"):page.index("`message` is Caisson's")]
    assert verdicts - set(re.findall(r"[A-Z_]{6,}", table)) == {"VERDICT_UNSPECIFIED", "COMPILE_FAILED"}
