"""What a run costs the host is no more than docs/sizing.md tells operators to plan with."""

import importlib.util
import re

import pytest

from support.environment import REPOSITORY

RUNS = 40
pytestmark = pytest.mark.serial


def load_bench():
    spec = importlib.util.spec_from_file_location("host_cost", REPOSITORY / "bench/host_cost.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def planned():
    """{what: most for each run}, memory in bytes."""
    rows = re.findall(r"^\| ((?:caissond|dispatcher|init|kernel|processes)[^|]*) \|[^|]*\|[^|]*\| ([\d.,]+)( KiB)? \|$",
                      (REPOSITORY / "docs/sizing.md").read_text(), re.MULTILINE)
    return {what: float(number.replace(",", "")) * (1024 if unit else 1) for what, number, unit in rows}


def test_runs_cost_no_more_than_what_is_planned_with(privileged):  # pylint: disable=unused-argument
    before, during = load_bench().measure(RUNS)
    plan = planned()
    assert set(plan) == {name.removesuffix(", bytes") for name in before}
    for name in before:
        what = name.removesuffix(", bytes")
        each = (during[name] - before[name]) / RUNS
        if what == "kernel: memory":
            continue  # everything else on the machine is in it too
        assert each <= plan[what], what
    # The numbers mean something: two processes and a few descriptors for each run are there.
    assert (during["processes"] - before["processes"]) / RUNS == plan["processes"]
    assert during["caissond: descriptors"] - before["caissond: descriptors"] >= 3 * RUNS
