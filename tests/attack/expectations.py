"""Compares what a run showed with what its case expects. Pure."""

import re

RANGE = re.compile(r"^(-?\d+)\.\.(-?\d+)$")


def matches(expected, seen):
    """`expected`: a value; "A|B" alternatives; ">=N", "<=N", "A..B" numbers; "/REGEX/" all of the text; "*" anything;
    "?" anything or nothing."""
    if expected == "?":
        return True
    text = "" if seen is None else str(seen)
    if isinstance(expected, bool) or not isinstance(expected, str):
        return text == str(expected)
    if expected == "*":
        return seen is not None
    if len(expected) > 1 and expected.startswith("/") and expected.endswith("/"):
        return re.fullmatch(expected[1:-1], text) is not None
    if expected.startswith((">=", "<=")):
        limit = int(expected[2:])
        if not re.fullmatch(r"-?\d+", text):
            return False
        return int(text) >= limit if expected[0] == ">" else int(text) <= limit
    between = RANGE.match(expected)
    if between and re.fullmatch(r"-?\d+", text):
        return int(between[1]) <= int(text) <= int(between[2])
    return text in expected.split("|")


def said(stdout):
    """{name: value} of a payload's lines; the same name twice keeps every value."""
    lines = {}
    for line in stdout.decode(errors="replace").split("\n"):
        if line:
            name, _, value = line.partition(" ")
            lines[name] = f"{lines[name]} {value}" if name in lines else value
    return lines


def differences(what, expected, seen, exact):
    """Complaints, one for each name."""
    complaints = [f"{what} {name}: expected {value}, saw {seen.get(name)}"
                  for name, value in expected.items() if not matches(value, seen.get(name))]
    if exact:
        complaints += [f"{what} {name}: not expected, saw {seen[name]}" for name in seen if name not in expected]
    return complaints


def judge(expect, outcome, result, lines, examined):
    """Everything about a run that is not as expected. `result`: facts of the result as a dictionary."""
    complaints = []
    verdict = outcome.verdict()
    if verdict not in expect.verdict.split("|"):
        complaints.append(f"verdict: expected {expect.verdict}, saw {verdict} ({outcome.result.message})")
    exit_code = 0 if expect.exit_code is None and expect.verdict == "COMPLETED" else expect.exit_code
    for name, wanted in (("exit_code", exit_code), ("signal", expect.signal)):
        seen = getattr(outcome.result, name) if outcome.result.HasField(name) else None
        if wanted is not None and seen != wanted:
            complaints.append(f"{name}: expected {wanted}, saw {seen}")
    if expect.limit is not None and outcome.result.limit.name != expect.limit:
        complaints.append(f"limit: expected {expect.limit}, saw {outcome.result.limit.name or 'none'}")
    if expect.denials != ["*"] and sorted(expect.denials) != sorted(outcome.denials()):
        complaints.append(f"denials: expected {sorted(expect.denials)}, saw {outcome.denials()}")
    usage = {field.name: value for field, value in outcome.result.usage.ListFields()}
    complaints += differences("usage", expect.usage, usage, exact=False)
    complaints += differences("result", expect.result, result, exact=False)
    complaints += differences("says", expect.says, lines, exact=True)
    for what in ("outputs", "refused"):
        wanted = getattr(expect, what)
        if wanted != ["*"]:
            complaints += differences(what, wanted, result["files"][what], exact=True)
    complaints += differences("seen from outside", expect.examined, examined, exact=True)
    return complaints
