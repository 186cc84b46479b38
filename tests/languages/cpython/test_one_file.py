"""one_file.py, which runs on both sides: what it writes of a test, which tests it chooses, and that no forked child writes for its parent."""

import json
import os
import tempfile
import unittest

import one_file


class Example(unittest.TestCase):
    __test__ = False  # pytest's business are the functions below

    def test_passes(self):
        pass

    def test_fails(self):
        self.assertEqual(1, 2)

    def test_is_skipped(self):
        self.skipTest("not here")

    @unittest.expectedFailure
    def test_fails_as_expected(self):
        self.fail()

    def test_has_parts(self):
        for part in (1, 2):
            with self.subTest(part=part):
                self.assertEqual(part, 1)

    def test_forks(self):
        """As CPython's do: the child is to become a program, cannot, and is now a second process inside of the test."""
        child = os.fork()
        if child == 0:
            os.execv("/nonexistent", ["nonexistent"])
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), 1)


def suite(*names):
    return unittest.TestSuite([unittest.TestSuite(Example(f"test_{name}") for name in names)])


def outcomes(*names):
    with tempfile.TemporaryFile("w+") as out:
        one_file.chosen(suite(*names), [], []).run(one_file.Recorder(out))
        out.seek(0)
        read = [json.loads(line) for line in out]
    assert all(seconds >= 0 for _, _, _, seconds in read)
    return [(test.rpartition(".test_")[2], outcome) for test, outcome, _, _ in read]


def ids(only, without):
    chosen = one_file.chosen(suite("passes", "fails", "forks"), only, without)
    return [test.id().rpartition(".test_")[2] for test in chosen]


def test_each_test_is_written_when_it_begins_and_when_it_ends():
    assert outcomes("passes", "fails") == [("passes", "started"), ("passes", "passed"), ("fails", "started"), ("fails", "failed")]
    assert outcomes("is_skipped") == [("is_skipped", "started"), ("is_skipped", "skipped")]
    assert outcomes("fails_as_expected") == [("fails_as_expected", "started"), ("fails_as_expected", "passed")]


def test_a_part_that_fails_is_the_tests_failure():
    assert ("has_parts", "failed") in outcomes("has_parts")
    assert ("has_parts", "passed") not in outcomes("has_parts")


def test_a_forked_child_writes_nothing_for_its_parent():
    assert outcomes("forks", "passes") == [("forks", "started"), ("forks", "passed"), ("passes", "started"), ("passes", "passed")]


def test_patterns_choose_and_leave_out():
    assert ids([], []) == ["passes", "fails", "forks"]
    assert ids(["Example.test_f*"], []) == ["fails", "forks"]
    assert ids(["!*fork*"], []) == ["passes", "fails"]
    assert ids(["Example.test_f*", "!*fork*"], []) == ["fails"]
    name = next(test.id() for test in one_file.flat(suite("passes")))
    assert ids([], [name]) == ["fails", "forks"]
