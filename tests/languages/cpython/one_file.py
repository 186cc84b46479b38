"""Runs one module of CPython's own test-suite and writes what came of each test, one JSON line each, [id, outcome, reason, seconds],
into results.jsonl in the working directory. The same file runs in a sandbox and outside; there and there without optional resources
(network, audio, much time), as regrtest does unless told otherwise. Inside, this is the hostile side: whoever reads the results
must not trust them.

Run as: one_file.py MODULE [--only PATTERN...] [--without ID...]
"""

import argparse
import fnmatch
import importlib
import json
import os
import sys
import time
import unittest

from test import support


class Recorder(unittest.TestResult):
    """Writes each outcome as it comes, so that what ends the process hides nothing that was before."""

    def __init__(self, out):
        super().__init__()
        self._out = out
        self._process = os.getpid()
        self._begin = time.monotonic()

    def _write(self, test, outcome, reason=""):
        # A child that a test forked and that failed before it could become a program comes back here as if it were its parent.
        if os.getpid() != self._process:
            os._exit(1)
        self._out.write(json.dumps([test.id(), outcome, reason[-2000:], round(time.monotonic() - self._begin, 2)]) + "\n")
        self._out.flush()

    def startTest(self, test):
        super().startTest(test)
        self._begin = time.monotonic()
        self._write(test, "started")

    def addSuccess(self, test):
        self._write(test, "passed")

    def addFailure(self, test, err):
        self._write(test, "failed", self._exc_info_to_string(err, test))

    def addError(self, test, err):
        self._write(test, "error", self._exc_info_to_string(err, test))

    def addSkip(self, test, reason):
        self._write(test, "skipped", reason)

    def addExpectedFailure(self, test, err):
        self._write(test, "passed", "fails as expected")

    def addUnexpectedSuccess(self, test):
        self._write(test, "failed", "passes, which was not expected")

    def addSubTest(self, test, subtest, err):
        if err is not None:
            self._write(test, "failed", self._exc_info_to_string(err, test))


def flat(suite):
    """The tests of a suite in their order; a suite of them makes the fixtures of classes and modules as the nested one does."""
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from flat(test)
        else:
            yield test


def chosen(suite, only, without):
    """Without what is named, and what a pattern with a "!" fits; of the rest what any other pattern fits, if there is one."""
    def fits(test, patterns):
        return any(fnmatch.fnmatchcase(test.id(), f"*.{pattern}") for pattern in patterns)
    unwanted = [pattern[1:] for pattern in only if pattern.startswith("!")]
    wanted = [pattern for pattern in only if not pattern.startswith("!")]
    return unittest.TestSuite(test for test in flat(suite) if test.id() not in without and not fits(test, unwanted)
                              and (not wanted or fits(test, wanted)))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("module")
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--without", nargs="*", default=[])
    arguments = parser.parse_args()
    sys.argv[1:] = []  # some tests take it for theirs
    support.use_resources = []
    with open("results.jsonl", "w", encoding="utf-8") as out:
        recorder = Recorder(out)
        try:
            suite = unittest.defaultTestLoader.loadTestsFromModule(importlib.import_module(f"test.{arguments.module}"))
        except unittest.SkipTest as skip:
            out.write(json.dumps([arguments.module, "skipped", str(skip), 0]) + "\n")
            return
        except Exception as error:  # pylint: disable=broad-exception-caught
            out.write(json.dumps([arguments.module, "error", f"cannot be imported: {type(error).__name__}: {error}", 0]) + "\n")
            return
        chosen(suite, arguments.only, arguments.without).run(recorder)
        out.write(json.dumps(["", "end", "", 0]) + "\n")


if __name__ == "__main__":
    main()
