#!/usr/bin/python3
"""What caissond starts as its dispatcher in test_dispatcher_*.py: speaks the boundary as the test tells it.

Runs as the user caisson without any capability, like the real one, but without the real one's own filter and Landlock
rules. The first of a daemon runs the test's attack; those that caissond starts after it behave.
"""

import json
import os
import pathlib
import signal
import sys
import time
import traceback

import boundary

HOME = pathlib.Path(sys.argv[sys.argv.index("--socket") + 1].removeprefix("unix:")).parent.parent
OURS = HOME / "socket"  # the only place where the user caisson may write


def is_first():
    try:
        os.close(os.open(OURS / "attacked", os.O_CREAT | os.O_EXCL | os.O_WRONLY))
    except FileExistsError:
        return False
    return True


def report(**values):
    """For the test: what the attack saw. Replaces an earlier report."""
    aside = OURS / "report.new"
    aside.write_text(json.dumps(values))
    aside.rename(OURS / "report.json")


def pause():
    """Waits until caissond stands still (TakenOver.pause): what comes until `resume` meets it all at once, and later."""
    (OURS / "pause").touch()
    while not (OURS / "paused").exists():
        time.sleep(0.005)


def resume():
    (OURS / "resume").touch()


def behave(line):
    """An idle dispatcher: leaves when it is told to, and is killed when its session has been ended."""
    while (reply := line.receive()) is not None:
        reply.close()
        if reply.kind == boundary.DRAIN:
            sys.exit(0)
    signal.pause()


def main():
    line = boundary.Boundary()
    line.expect(boundary.HELLO)
    # What is left unread when this end closes would make an error of what was sent before.
    line.expect(boundary.POLICY).close()
    line.send(boundary.serving())
    if is_first():
        names = {name: getattr(boundary, name) for name in dir(boundary) if not name.startswith("_")}
        try:
            exec((HOME / "attack.py").read_text(), {**names, "b": line, "os": os, "time": time, "report": report,
                                                       "pause": pause, "resume": resume})
        except EOFError:
            pass  # the session was ended under it
        except Exception:  # pylint: disable=broad-except
            report(error=traceback.format_exc())
    behave(line)


main()
