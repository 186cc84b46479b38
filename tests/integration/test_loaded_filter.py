"""What the kernel holds of a run: the filter it gives back is the one whose digest the result names, and init is locked as well."""

import contextlib
import ctypes
import hashlib
import os

import pytest

from support import processes
from support.client import Client, request

PTRACE_SEIZE, PTRACE_INTERRUPT, PTRACE_DETACH, PTRACE_SECCOMP_GET_FILTER = 0x4206, 0x4207, 17, 0x420C
INSTRUCTION_BYTES = 8
CAP_KILL, CAP_DAC_READ_SEARCH = 1 << 5, 1 << 2
PTRACE = ctypes.CDLL(None, use_errno=True).ptrace
PTRACE.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
PTRACE.restype = ctypes.c_long


def ptrace(what, pid, address=None, data=None):
    result = PTRACE(what, pid, address, data)
    if result < 0:
        raise OSError(ctypes.get_errno(), f"ptrace {what:#x}")
    return result


def filters_of(pid):
    """The program of each filter of a process, the newest first, as the kernel gives it back."""
    ptrace(PTRACE_SEIZE, pid)
    ptrace(PTRACE_INTERRUPT, pid)
    os.waitpid(pid, 0)
    programs = []
    try:
        with contextlib.suppress(FileNotFoundError):  # ENOENT: no more
            while True:
                length = ptrace(PTRACE_SECCOMP_GET_FILTER, pid, len(programs))
                program = ctypes.create_string_buffer(length * INSTRUCTION_BYTES)
                ptrace(PTRACE_SECCOMP_GET_FILTER, pid, len(programs), program)
                programs.append(program.raw)
    finally:
        ptrace(PTRACE_DETACH, pid)
    return programs


@pytest.fixture(params=["python", "python-loopback"])
def waiting(request, make_daemon):  # pylint: disable=redefined-outer-name
    """(daemon, call) of one run that waits."""
    running = make_daemon()
    client = Client(running.address)
    call = client.start(_request(request.param), timeout=None)
    call.until_output(b"here")
    yield running, call
    client.close()


def _request(profile):
    return request("print('here', flush=True)\nimport time\ntime.sleep(100)", profile=profile)


def only(pids):
    assert len(pids) == 1, pids
    return pids[0]


def test_kernel_holds_the_filter_that_the_result_names(waiting):
    daemon, call = waiting
    payload = only([pid for pid in daemon.run_pids() if not processes.is_init(pid)])
    program = only(filters_of(payload))
    daemon.stop()
    facts = call.finish().facts()
    assert facts["seccomp_filters"].value == "1"
    assert facts["filter_digest"].value.endswith(hashlib.sha256(program).hexdigest())


def test_init_is_locked_too(waiting):
    daemon, _ = waiting
    init = only([pid for pid in daemon.run_pids() if processes.is_init(pid)])
    status = {name: processes.status_field(init, name).split()[0] for name in
              ("NoNewPrivs", "Seccomp", "CapPrm", "CapEff", "CapInh", "CapBnd", "CapAmb", "Uid")}
    assert int(status.pop("Uid")) >= daemon.id_first
    assert {name: int(value, 16) for name, value in status.items()} == {
        "NoNewPrivs": 1, "Seccomp": 2, "CapPrm": CAP_KILL | CAP_DAC_READ_SEARCH, "CapEff": CAP_KILL | CAP_DAC_READ_SEARCH,
        "CapInh": 0, "CapBnd": 0, "CapAmb": 0}
