"""A client that reads slowly slows its own program, and nobody else; it costs bounded memory."""

import threading
import time

from support import processes
from support.client import Client, request
from support.environment import scaled
from support.interaction import Interaction

MIB = 1024 * 1024

# Writes 48 MiB, noting on stderr how far it has come.
WRITER = """
import os, sys
block = b"x" * 65536
for n in range(768):
    os.write(1, block)
os.write(2, b"wrote all\\n")
"""
LIMITS = {"output_bytes": 64 * MIB, "wall_time_ms": 60_000}


def total_output(events):
    return sum(len(event.output.data) for event in events if event.WhichOneof("event") == "output")


def test_program_waits_for_a_client_that_does_not_read(client, daemon):
    other = Client(daemon.address)
    call = other.start(request(WRITER, limits=LIMITS))
    name = call.until("accepted").accepted.name
    call.until("output")
    # It would be done in well under a second if somebody read; two seconds without reading are no synchronisation
    # but the thing under test.
    time.sleep(2)
    run, _ = client.unary("GetRun", client.api.run.GetRunRequest(name=name))
    assert run.state == client.api.run.Run.RUNNING
    outcome = call.finish()
    assert outcome.verdict() == "COMPLETED"
    assert total_output(outcome.events) == 48 * MIB + len("wrote all\n")
    other.close()


def test_slow_reader_does_not_slow_others(client, daemon):
    other = Client(daemon.address)
    slow = other.start(request(WRITER, limits=LIMITS))
    slow.until("output")
    before = time.monotonic()
    outcome = client.execute(WRITER, limits=LIMITS)
    assert outcome.verdict() == "COMPLETED"
    assert time.monotonic() - before < scaled(10)
    slow.cancel()
    other.close()


def test_slow_readers_cost_the_dispatcher_bounded_memory(client, daemon):
    dispatcher = daemon.dispatcher_pid()
    before = processes.resident_bytes(dispatcher)
    others = [Client(daemon.address) for _ in range(8)]
    calls = [other.start(request(WRITER, limits=LIMITS)) for other in others]
    for call in calls:
        call.until("output")
    peak = 0
    deadline = time.monotonic() + 2
    while time.monotonic() < deadline:
        peak = max(peak, processes.resident_bytes(dispatcher) - before)
        client.info()
    assert peak < 8 * 4 * MIB  # they would be 384 MiB together
    for call, other in zip(calls, others):
        call.cancel()
        other.close()


def test_slow_reader_can_still_be_canceled(client, daemon):
    other = Client(daemon.address)
    call = other.start(request(WRITER, limits=LIMITS))
    name = call.until("accepted").accepted.name
    call.until("output")
    client.unary("CancelRun", client.api.run.CancelRunRequest(name=name))
    assert processes.wait_until(lambda: daemon.run_pids() == [], scaled(2))
    result = []
    reader = threading.Thread(target=lambda: result.append(call.finish()))
    reader.start()
    reader.join(scaled(20))
    assert result and result[0].verdict() == "CANCELED"
    other.close()


def test_input_that_no_program_reads_stays_with_its_client(client, daemon):
    """Also beside one that is read as fast as it comes, for which gRPC would make the windows of all larger."""
    other = Client(daemon.address)
    piece = bytes(64 * 1024)
    limits = {"memory_bytes": 32 * MIB, "wall_time_ms": 60_000}
    swift = Interaction(other).open("import os\nwhile os.read(0, 1 << 20): pass", limits=limits)
    for _ in range(1024):
        swift.send(stdin=piece)
    assert swift.eof().finish().verdict() == "COMPLETED"
    before = processes.resident_bytes(daemon.dispatcher_pid())
    calls = [Interaction(other).open("import time\nprint('here', flush=True)\ntime.sleep(60)", limits=limits) for _ in range(24)]
    for call in calls:
        call.expect(b"here\n")
        for _ in range(128):
            call.send(stdin=piece)
    # They send for as long as they are let; what is let in within some seconds is all that ever is.
    assert not processes.wait_until(lambda: processes.resident_bytes(daemon.dispatcher_pid()) - before > len(calls) * MIB, 4)
    for call in calls:
        call.cancel()
    other.close()
