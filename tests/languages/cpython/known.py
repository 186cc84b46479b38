"""differences.toml: what explains a difference. [[known]] with `layer`, `why`, `tests` (patterns of names without the leading "test."),
and perhaps `outside`, `inside` (outcomes), `reason` (a regular expression that the reason's last line must match).
The first entry that fits explains a difference."""

import fnmatch
import pathlib
import re
import tomllib

FILE = pathlib.Path(__file__).resolve().parent / "differences.toml"
KEYS = {"layer", "why", "tests", "outside", "inside", "reason"}


class Known:
    def __init__(self, text):
        self.layers = tomllib.loads(text)["layers"]
        self.entries = tomllib.loads(text)["known"]
        for entry in self.entries:
            if not {"layer", "why", "tests"} <= entry.keys() <= KEYS or entry["layer"] not in self.layers or not entry["why"].strip():
                raise ValueError(f"differences.toml: not an explanation: {entry}")

    def index(self, difference):
        name = difference.test.removeprefix("test.")
        for index, entry in enumerate(self.entries):
            if (any(fnmatch.fnmatchcase(name, pattern) for pattern in entry["tests"])
                    and difference.outside in entry.get("outside", [difference.outside])
                    and difference.inside in entry.get("inside", [difference.inside])
                    and re.search(entry.get("reason", ""), difference.reason)):
                return index
        return None


def read():
    return Known(FILE.read_text(encoding="utf-8"))
