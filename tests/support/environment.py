"""Where things are, and how slow the machine is."""

import os
import pathlib

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
BIN_DIR = pathlib.Path(os.environ.get("CAISSON_BIN_DIR", REPOSITORY / "build" / "bin"))
TIME_SCALE = float(os.environ.get("CAISSON_TEST_TIME_SCALE", "1"))
REQUIRE_PRIVILEGED = os.environ.get("CAISSON_REQUIRE_PRIVILEGED") == "1"

CAISSON = BIN_DIR / "caisson"
CAISSOND = BIN_DIR / "caissond"


def scaled(seconds):
    """A tolerance or a deadline of a test; never a limit given to the daemon."""
    return seconds * TIME_SCALE


def roomy(limit):
    """A limit of time, where what comes before it is struck (a program that begins, a compiler at work) takes as long as the machine
    needs. Not for tests of the limit itself."""
    return int(limit * TIME_SCALE)
