"""What came of a file of CPython's test-suite on one side, and what differs between the two sides. Pure: text in, values out.

The text of the inside is a hostile sandbox's; here it is only cut, read as JSON lines, and compared.
"""

import dataclasses
import json

MAX_RESULT_BYTES = 8 * 1024 * 1024
ENDED_RUN = "ended the run"
RANK = ["started", "passed", "skipped", "error", "failed", ENDED_RUN]
ABSENT = ("absent", "")


@dataclasses.dataclass
class Outcomes:
    """{test: (outcome, reason)}, {test: seconds}, and how the process ended ("" if it came to its end)."""

    tests: dict
    ended: str = ""
    denials: dict = dataclasses.field(default_factory=dict)
    seconds: dict = dataclasses.field(default_factory=dict)

    def of(self, test):
        """A test that never began because its class or its module could not be set up has the outcome of that."""
        if test in self.tests:
            return self.tests[test]
        owner = test.rpartition(".")[0]
        while owner:
            for fixture in (f"setUpClass ({owner})", f"setUpModule ({owner})"):
                if fixture in self.tests:
                    return self.tests[fixture]
            owner = owner.rpartition(".")[0]
        return ABSENT

    def unfinished(self):
        """The test during which the process ended, or None."""
        return next((test for test, (outcome, _) in self.tests.items() if outcome == "started"), None) if self.ended else None


@dataclasses.dataclass(frozen=True)
class Difference:
    """`reason` is the last line of what the side that did not pass says."""

    test: str
    outside: str
    inside: str
    reason: str


def parsed(module, text, ended):
    """Of results.jsonl. The module's own name stands there if it is skipped or cannot be imported. The worst outcome of a test counts,
    since its parts are told one by one."""
    tests, seconds, complete = {}, {}, False
    for line in text[:MAX_RESULT_BYTES].splitlines():
        try:
            name, outcome, reason, took = json.loads(line)
        except (ValueError, TypeError, RecursionError):
            continue
        if outcome == "end":
            complete = True
        elif isinstance(name, str) and outcome in RANK[:-1]:
            known = tests.get(name, ("started", ""))
            if RANK.index(outcome) >= RANK.index(known[0]):
                tests[name] = (outcome, str(reason))
            seconds[name] = float(took) if isinstance(took, (int, float)) else 0.0
    if module in tests:
        return Outcomes({}, ": ".join(tests[module]))
    return Outcomes(tests, "" if complete else ended or "ended early", seconds=seconds)


def completed(run, attempts=8):
    """Of run(tests to leave out): what ends the process is left out of another attempt, so that it hides nothing of what follows it."""
    left_out = {}
    while True:
        outcomes = run(sorted(left_out))
        test = outcomes.unfinished()
        if test is None or len(left_out) == attempts:
            break
        left_out[test] = (ENDED_RUN, outcomes.ended)
    outcomes.tests.update(left_out)
    return outcomes


def printable(text):
    """A line that does nothing to a terminal. Names and reasons come from inside."""
    return "".join(c if c.isprintable() else "?" for c in text)[:300]


def is_fixture(name):
    return name.startswith(("setUpClass (", "setUpModule ("))


def differences(module, outside, inside):
    """Tests that do not end the same. A process that does not come to its end on one side is a difference of its own."""
    found = []
    if bool(outside.ended) != bool(inside.ended) or not outside.tests and outside.ended != inside.ended:
        found.append(Difference(f"test.{module}", outside.ended or "complete", inside.ended or "complete", inside.ended or outside.ended))
        if not inside.tests or not outside.tests:
            return found
    for name in sorted(name for name in outside.tests.keys() | inside.tests.keys() if not is_fixture(name)):
        left, right = outside.of(name), inside.of(name)
        if left[0] != right[0]:
            reason = right[1] if right[0] != "passed" else left[1]
            found.append(Difference(name, left[0], right[0], reason.strip().rsplit("\n", 1)[-1]))
    return found
