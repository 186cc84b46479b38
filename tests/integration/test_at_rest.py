"""A daemon without work does nothing."""

import os
import re
import time

from support import processes
from support.client import Client

SWITCHES = re.compile(r"^voluntary_ctxt_switches:\t(\d+)$", re.MULTILINE)
NAME = re.compile(r"^Name:\t(.*)$", re.MULTILINE)
# gRPC's own threads look at their timers and queues a few times a second, whatever its user does; they are the library's.
GRPC = {"default-executo", "resolver-execut", "grpc_global_tim", "event_engine", "timer_manager", "nexting_thread", "grpcpp_sync_ser"}
LOOK_SECONDS = 8  # longer than what is looked at once after work has ended


def wake_ups(pids):
    """{(pid, thread, name): how often it has slept} of all threads but gRPC's."""
    found = {}
    for pid in pids:
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/status", encoding="utf-8", errors="replace") as status:
                text = status.read()
            name = NAME.search(text).group(1)
            if name not in GRPC:
                found[pid, thread, name] = int(SWITCHES.search(text).group(1))
    return found


def test_no_thread_of_ours_wakes_up_without_work(make_daemon):
    daemon = make_daemon()
    client = Client(daemon.address)
    assert client.execute("print(1)").stdout == b"1\n"
    client.close()
    pids = [daemon.pid, processes.builder_of(daemon.pid), daemon.dispatcher_pid()]

    def rests():
        before = wake_ups(pids)
        time.sleep(LOOK_SECONDS)  # what does nothing has no event to wait for
        return wake_ups(pids) == before

    # What the run left is cleared up, and sandboxes that nobody asks for go, before it rests.
    assert processes.wait_until(rests, 60)
