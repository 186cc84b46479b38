"""Every layer is needed: in the build without it, and only there, its attempt gets through; nothing outside is harmed."""

import json
import re
import subprocess

import pytest

from attack_support import LayerDaemon, Observer, run_attempt
from layers import ATTEMPTS, CHECK_SAYS, NOTHING_RUNS_WITHOUT
from profiles import LENIENT_PROFILE
from support import leakcheck, processes
from support.client import Client
from support.daemon import ensure_user
from support.environment import BIN_DIR, REPOSITORY, scaled

IDS = [attempt.layer for attempt in ATTEMPTS]
# What the attempts run under, beside the shipped `python`.
LENIENT = {"lenient.json": json.dumps(LENIENT_PROFILE)}
SHIPPED = ["python"]


@pytest.fixture(scope="module")
def released(privileged, host_segment):  # pylint: disable=unused-argument
    with LayerDaemon(None, LENIENT, SHIPPED) as running:
        yield running


@pytest.mark.parametrize("attempt", ATTEMPTS, ids=IDS)
def test_released_build_holds(released, attempt):
    outcome = run_attempt(released, attempt)
    assert outcome.verdict() == attempt.verdict_held, outcome.result.message
    assert attempt.held(outcome.stdout.decode()), f"{attempt.what}: printed {outcome.stdout!r} {outcome.stderr!r}"
    if attempt.fact is not None:
        assert attempt.fact_held(outcome.facts()[attempt.fact].value), outcome.facts()[attempt.fact]


@pytest.mark.parametrize("attempt", ATTEMPTS, ids=IDS)
def test_mutation_build_does_not_hold_and_harms_nothing(privileged, host_segment, attempt):  # pylint: disable=unused-argument
    with LayerDaemon(attempt.layer, LENIENT, SHIPPED) as running:
        with Observer(running):
            outcome = run_attempt(running, attempt)
        assert outcome.verdict() == attempt.verdict_through, outcome.result.message
        assert attempt.through(outcome.stdout.decode()), f"{attempt.what}: printed {outcome.stdout!r} {outcome.stderr!r}"
        if attempt.fact is not None:
            assert not attempt.fact_held(outcome.facts()[attempt.fact].value), "the isolation report does not say that it is gone"


@pytest.mark.parametrize("layer", NOTHING_RUNS_WITHOUT)
def test_layer_that_cannot_be_left_out(privileged, layer):  # pylint: disable=unused-argument
    with leakcheck.nothing_left():
        with LayerDaemon(layer, {}, SHIPPED) as running:
            with Observer(running):
                client = Client(running.address)
                outcome = client.execute("print('ran')")
                client.close()
            assert outcome.verdict() == "SANDBOX_SETUP_FAILED", outcome.result.message
            assert outcome.stdout == b"" and "started" not in outcome.kinds()
            assert processes.wait_until(lambda: running.run_pids() == [], scaled(5))
            assert running.stop() == 0


@pytest.mark.parametrize("layer", CHECK_SAYS)
def test_caissond_without_a_layer_says_so_itself(privileged, layer):  # pylint: disable=unused-argument
    """The preflight is no list of assumptions: it fails, and in the right words, for a caissond that leaves a layer out."""
    ensure_user()
    program = BIN_DIR.parent / "mutation" / layer / "caissond"
    with leakcheck.nothing_left():
        done = subprocess.run([program, "--check", "--json"], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=scaled(60), check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    failed = {one["name"]: one["detail"] for one in json.loads(done.stdout)["checks"] if one["state"] == "fail"}
    name, words = CHECK_SAYS[layer]
    assert re.search(words, failed.get(name, "")), failed
    assert set(failed) <= {name, "sandbox", "cgroup_limits"}, "nothing else is said to be missing"


def test_every_layer_that_can_be_left_out_has_its_tests():
    """A mutation build that nobody runs proves nothing."""
    text = (REPOSITORY / "cmake" / "CaissonMutations.cmake").read_text(encoding="utf-8")
    built = set(re.search(r"set\(CAISSON_MUTATIONS\s+([^)]*)\)", text)[1].split())
    assert built == set(IDS) | set(NOTHING_RUNS_WITHOUT) == set(CHECK_SAYS)
