"""docs/websocket.md: its example, as it is copied from there."""

import re
import subprocess
import sys

from support.environment import REPOSITORY, scaled


def test_example_talks_to_its_program(gateway):
    text = (REPOSITORY / "docs/websocket.md").read_text()
    [example] = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    script = example.replace("localhost:8080", f"localhost:{gateway.port}")
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=scaled(60), check=False)
    assert done.returncode == 0 and "hello you" in done.stdout, done.stderr
