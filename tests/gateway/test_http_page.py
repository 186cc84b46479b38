"""docs/http.md: its example, as it is copied from there."""

import json
import re
import subprocess

from support.environment import REPOSITORY, scaled


def example():
    """The page's call of curl, and what it says comes of it."""
    text = (REPOSITORY / "docs/http.md").read_text()
    return re.search(r"```\n(curl .*?)```\n\nanswers `(.*?)`", text, re.DOTALL).groups()


def shell(gateway, script, *options):
    script = script.replace("localhost:8080", f"localhost:{gateway.port}").replace("curl ", " ".join(["curl", *options, ""]), 1)
    return subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=scaled(60), check=True).stdout


def test_example_answers_what_the_page_says(gateway):
    script, said = example()
    answer = json.loads(shell(gateway, script))
    shown = json.loads(said.replace(",…", "").replace("runs/…", answer["name"]))
    assert shown == {name: value if name != "result" else {"verdict": value["verdict"]} for name, value in answer.items()}


def test_example_streams_with_the_header_that_the_page_names(gateway):
    events = shell(gateway, example()[0], "-N", "-H", "'Accept: text/event-stream'")
    assert re.findall(r"^event: (\w+)$", events, re.MULTILINE) == ["open", "accepted", "started", "output", "step_finished", "finished"]
    assert '"text":"42\\n"' in events


def test_routes_of_the_page_are_all_there_are(gateway):
    text = (REPOSITORY / "docs/http.md").read_text()
    routes = re.findall(r"^\| `(GET|POST) (/\S+)` \|", text, re.MULTILINE)
    assert len(routes) == 14
    for method, path in routes:
        other = "DELETE"
        answer = gateway.request(other, path.replace("{run}", "0" * 32))
        assert answer.status == 405 and method in answer.headers["allow"], path
