"""`make playground`, without make: it starts everything, says where, and leaves nothing behind."""

import os
import pathlib
import signal
import subprocess
import urllib.request

import pytest

from support.environment import BIN_DIR, REPOSITORY, scaled

# Both use the ids that are the script's own.
pytestmark = pytest.mark.xdist_group("playground_script")
SCRIPT = REPOSITORY / "tools" / "run_playground.sh"


def demo_directories():
    return set(pathlib.Path("/tmp").glob("caisson-demo-*"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["INT", "TERM"])
def test_playground_stays_up_until_it_is_told_to_end(privileged, tmp_path, number):  # pylint: disable=unused-argument
    if not (BIN_DIR.parent / "playground" / "index.html").exists():
        pytest.skip("the page is not built")
    before = demo_directories()
    environment = {**os.environ, "CAISSON_PLAYGROUND_LISTEN": "127.0.0.1:0", "CAISSON_BIN_DIR": str(BIN_DIR)}
    with (tmp_path / "errors").open("w+", encoding="utf-8") as errors:
        running = subprocess.Popen([SCRIPT], env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, text=True)
        try:
            said = []
            for line in running.stdout:
                said.append(line)
                if "The playground is at" in line:
                    break
            else:
                errors.seek(0)
                pytest.fail("".join(said) + errors.read())
            with urllib.request.urlopen(said[-1].split()[5], timeout=scaled(30)) as page:
                assert b"<title>Caisson playground</title>" in page.read()
        finally:
            running.send_signal(number)
            code = running.wait(scaled(60))
            running.stdout.close()
    assert code == 0
    assert demo_directories() <= before


def test_playground_says_what_keeps_it_from_starting(privileged, tmp_path):  # pylint: disable=unused-argument
    (tmp_path / "bin").mkdir()
    environment = {**os.environ, "CAISSON_BIN_DIR": str(tmp_path / "bin")}
    done = subprocess.run([SCRIPT], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "run: make playground-page" in done.stderr
