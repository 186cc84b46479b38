"""Every layer is needed: in the build without it, and only there, its attempt gets through; nothing outside is harmed."""

import ctypes
import os

import pytest

from attack_support import LayerDaemon, Observer
from layers import ATTEMPTS
from profiles import extra_profiles
from support.client import Client

IDS = [attempt.layer for attempt in ATTEMPTS]


@pytest.fixture(scope="module")
def host_segment():
    """A System V segment on the host that anybody may attach to: what a run without its own IPC namespace would find."""
    libc = ctypes.CDLL(None, use_errno=True)
    segment = libc.shmget(0x43414953, 4096, 0o1666)
    assert segment >= 0, os.strerror(ctypes.get_errno())
    yield segment
    libc.shmctl(segment, 0, None)


@pytest.fixture(scope="module")
def released(privileged, host_segment):  # pylint: disable=unused-argument
    with LayerDaemon(None, extra_profiles()) as running:
        yield running


def run(daemon, attempt):
    client = Client(daemon.address)
    try:
        return client.execute(attempt.program, profile=attempt.profile, limits=attempt.limits,
                              files=None) if attempt.profile == "python" else client.send(daemon.request(attempt))
    finally:
        client.close()


@pytest.mark.parametrize("attempt", ATTEMPTS, ids=IDS)
def test_released_build_holds(released, attempt):
    outcome = run(released, attempt)
    assert outcome.verdict() == attempt.verdict_held, outcome.result.message
    assert attempt.held(outcome.stdout.decode()), f"{attempt.what}: printed {outcome.stdout!r} {outcome.stderr!r}"
    assert attempt.fact_held(outcome.facts()[attempt.fact].value), outcome.facts()[attempt.fact]


@pytest.mark.parametrize("attempt", ATTEMPTS, ids=IDS)
def test_mutation_build_does_not_hold_and_harms_nothing(privileged, host_segment, attempt):  # pylint: disable=unused-argument
    with LayerDaemon(attempt.layer, extra_profiles()) as running:
        with Observer(running):
            outcome = run(running, attempt)
        assert outcome.verdict() == attempt.verdict_through, outcome.result.message
        assert attempt.through(outcome.stdout.decode()), f"{attempt.what}: printed {outcome.stdout!r} {outcome.stderr!r}"
        assert not attempt.fact_held(outcome.facts()[attempt.fact].value), "the isolation report does not say that it is gone"
