"""A daemon and a gateway before it, for all tests of a file."""

import pytest

from support.daemon import Daemon
from support.gateway import Gateway


@pytest.fixture(scope="module")
def gateway_daemon(privileged):  # pylint: disable=unused-argument
    with Daemon(profiles=["python", "c"], ready_sandboxes=0) as running:
        yield running
        assert running.runs_are_gone()
        assert running.stop() == 0


@pytest.fixture(scope="module")
def gateway(gateway_daemon):  # pylint: disable=redefined-outer-name
    with Gateway(gateway_daemon.address, "--allow-origin", "https://play.example.org", "--grace-ms", "500") as running:
        yield running
        assert running.stop() == 0
        assert not [line for line in running.log if " error " in line or " critical " in line]
