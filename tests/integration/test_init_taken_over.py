"""An init under an attacker's control: it says to caissond what ours never would. Its run ends, the log says so, others go on."""

import ctypes
import os
import socket
import struct

import pytest

from support import processes
from support.client import Client, request
from support.daemon import Daemon
from support.environment import scaled

PIDFD_OPEN, PIDFD_GETFD = 434, 438
CONTROL = 3  # kFdControl
MAGIC = 0x4C544E43
READY, DONE, SIGNAL = 2, 4, 6
HEAD = struct.Struct("<II")
LIBC = ctypes.CDLL(None, use_errno=True)

WORDS = {
    "one byte": [b"x"],
    "nothing but zeros": [bytes(96)],
    "more than a packet may have": [b"A" * 5000],
    "no magic": [HEAD.pack(0, DONE) + bytes(88)],
    "a kind of message that there is not": [HEAD.pack(MAGIC, 99)],
    "what only caissond says": [HEAD.pack(MAGIC, SIGNAL) + bytes(8)],
    "ready once more": [HEAD.pack(MAGIC, READY) + struct.pack("<ii", 13, 0)],
    "an end that is cut": [HEAD.pack(MAGIC, DONE) + bytes(40)],
}


def call(number, *arguments):
    result = LIBC.syscall(number, *arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), f"system call {number}")
    return result


def control_socket(init):
    """A copy of init's line to caissond, as code in init's place would have it."""
    process = call(PIDFD_OPEN, init, 0)
    try:
        return socket.socket(fileno=call(PIDFD_GETFD, process, CONTROL, 0))
    finally:
        os.close(process)


def payloads(daemon):
    """Host pids of programs that run; a sandbox that is just being built ahead has none."""
    return {pid for pid in daemon.run_pids() if not processes.is_init(pid)}


@pytest.fixture(scope="module")
def attacked(privileged):  # pylint: disable=unused-argument
    """One daemon for all of them: what one attacker does is not the next one's trouble."""
    with Daemon() as running:
        yield running
        assert running.stop() == 0


@pytest.mark.parametrize("words", WORDS)
def test_init_that_breaks_the_protocol_ends_its_run_alone(attacked, words):
    client = Client(attacked.address)
    neighbour = client.start(request("print('here', flush=True)\nimport sys\nsys.stdin.read()\nimport time\ntime.sleep(1)\nprint('done')"))
    neighbour.until_output(b"here")
    others = payloads(attacked)
    victim = client.start(request("print('here', flush=True)\nimport time\ntime.sleep(60)"), timeout=None)
    victim.until_output(b"here")
    init = int(processes.status_field(next(iter(payloads(attacked) - others)), "PPid"))
    lines = len(attacked.log)
    with control_socket(init) as control:
        for word in WORDS[words]:
            try:
                control.send(word)
            except OSError:  # caissond has hung up: it heard enough
                break
    outcome = victim.finish()
    assert outcome.verdict() == "SERVICE_FAILED", outcome.result.message
    assert processes.wait_until(lambda: any("init broke the control protocol" in line for line in attacked.log[lines:]), scaled(5))
    assert neighbour.finish().stdout == b"here\ndone\n"
    client.close()
