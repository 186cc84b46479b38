"""docs/openapi.json is what the code says, and the gateway does what it says."""

import json
import re
import subprocess

import jsonschema
import pytest

from support.environment import BIN_DIR, REPOSITORY, scaled
from support.gateway import python_run

DOCUMENT = json.loads((REPOSITORY / "docs/openapi.json").read_text())
SCHEMAS = DOCUMENT["components"]["schemas"]
FUZZER = BIN_DIR.parent / "fuzzer/bin/schemathesis"
CHECKS = ("not_a_server_error", "status_code_conformance", "content_type_conformance", "response_headers_conformance",
          "response_schema_conformance", "unsupported_method", "negative_data_rejection")


def strict(schema):
    """The schema without room for what it does not name, so that a field nobody described is found."""
    if isinstance(schema, dict):
        closed = {name: strict(value) for name, value in schema.items()}
        return {"additionalProperties": False, **closed} if "properties" in closed else closed
    return [strict(item) for item in schema] if isinstance(schema, list) else schema


def check(instance, name):
    """Whether an answer is what the document says of it."""
    root = {"$ref": f"#/components/schemas/{name}", "components": {"schemas": strict(SCHEMAS)}}
    jsonschema.Draft202012Validator(root).validate(instance)


def test_document_is_the_one_that_would_be_made_now():
    done = subprocess.run(["/usr/bin/python3", REPOSITORY / "tools/make_openapi.py", "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_schema_is_one_and_every_reference_leads_somewhere():
    for name, schema in SCHEMAS.items():
        jsonschema.Draft202012Validator.check_schema(schema)
        assert schema, name
    for reference in re.findall(r'"\$ref": "#/components/(\w+)/(\w+)"', json.dumps(DOCUMENT)):
        assert reference[1] in DOCUMENT["components"][reference[0]], reference


def test_every_route_of_the_page_is_in_it():
    page = (REPOSITORY / "docs/http.md").read_text()
    routes = re.findall(r"^\| `(GET|POST) (\S+)` \|.*?\| (\w*) \|$", page, re.MULTILINE)
    assert len(routes) >= 8
    for method, path, call in routes:
        assert call == "Interact" or path.startswith("/api/") or method.lower() in DOCUMENT["paths"].get(path, {}), (method, path)


def test_answers_are_what_it_says(gateway):
    source = "import socket\ntry: socket.socket()\nexcept OSError: print('no')\nopen('out.txt', 'w').write('file')"
    answer = gateway.request("POST", "/v1/runs:execute", python_run(source, output_paths=["out.txt", "none"])).json()
    check(answer, "Answer")
    assert answer["output_files"] and answer["result"]["denials"] and answer["result"]["refused_outputs"]
    failed = {"profile": "c", "files": [{"path": "main.c", "text": "int main(void) { return x; }"}]}
    compiled = gateway.request("POST", "/v1/runs:execute", failed).json()
    check(compiled, "Answer")
    assert compiled["result"]["verdict"] == "COMPILE_FAILED"
    run = gateway.request("POST", "/v1/runs", python_run("print(1)", labels={"a": "b"})).json()
    check(run, "Run")
    path = f"/v1/{run['name']}"
    gateway.request("GET", f"{path}:follow")
    check(gateway.request("GET", path).json(), "Run")
    check(gateway.request("POST", f"{path}:cancel").json(), "Run")
    check(gateway.request("GET", "/v1/runs").json(), "ListRunsResponse")
    check(gateway.request("GET", "/v1/profiles").json(), "ListProfilesResponse")
    check(gateway.request("GET", "/v1/server").json(), "ServerInfo")
    check(gateway.request("GET", "/healthz").json(), "Health")


@pytest.mark.parametrize("method, path, body", [
    ("GET", "/nowhere", None), ("PUT", "/v1/runs", None), ("GET", "/v1/runs/" + "0" * 32, None), ("GET", "/v1/runs?page_size=x", None),
    ("POST", "/v1/runs:execute", b"{"), ("POST", "/v1/runs:execute", {"profile": "python", "limits": {"pids": 0}}),
    ("POST", "/v1/runs:execute", {"profile": "cobol"}),
])
def test_problems_are_what_it_says(gateway, method, path, body):
    reply = gateway.request(method, path, body)
    assert reply.status >= 400 and reply.headers["content-type"] == "application/problem+json"
    check(reply.json(), "Problem")


def test_fuzzer_finds_no_answer_that_it_does_not_allow(gateway, tmp_path):
    if not FUZZER.exists():
        pytest.skip("the fuzzer is not installed: tools/setup_web.sh --fuzzer")
    command = [FUZZER, "run", REPOSITORY / "docs/openapi.json", "--url", f"http://127.0.0.1:{gateway.port}", "--checks", ",".join(CHECKS),
               "--max-examples", "30", "--seed", "1", "--no-color", "--request-timeout", str(scaled(30)), "--generation-database", ":memory:"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=scaled(300))
    assert done.returncode == 0, done.stdout[-6_000:] + done.stderr[-2_000:]
    assert int(re.search(r"(\d+) generated", done.stdout)[1]) > 500
