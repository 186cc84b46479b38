"""Every hostile case that this machine can run holds. What each tries is in cases/*.toml."""

import dataclasses
import json
import os
import pathlib

import pytest

from catalogue import load
from runner import run_case

CASES, EXCLUDED = load()


def parameters():
    for case in CASES.values():
        # How long something took says something where nothing else runs.
        groups = {*case.groups, *(["serial"] if any(run.expect.within_ms is not None for run in case.runs) else [])}
        yield pytest.param(case, id=case.id, marks=[getattr(pytest.mark, name) for name in sorted(groups)])


@pytest.mark.parametrize("case", parameters())
def test_case_holds(case, attacked, attacker):
    finding = run_case(case, attacked, attacker)
    record(finding)
    if not finding.held:
        pytest.fail("\n".join([case.tries, *finding.harm, *finding.complaints, "evidence:", *map(": ".join, finding.evidence)]), pytrace=False)


def record(finding):
    """For tools/attack_report.py, which shows what came out as a table."""
    directory = os.environ.get("CAISSON_ATTACK_FINDINGS")
    if directory:
        path = pathlib.Path(directory, f"{finding.id}.json")
        path.write_text(json.dumps({**dataclasses.asdict(finding), "held": finding.held}), encoding="utf-8")
