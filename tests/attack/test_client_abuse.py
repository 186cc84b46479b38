"""Clients that send nonsense, leave at any moment, and read every word that comes back."""

import random
import re
import threading
import time

import grpc
import pytest

from support import processes
from support.client import Client, Refusal, request
from support.environment import scaled

MIB = 1 << 20
MESSAGES = 2000
CLIENTS = 10
CALLS_EACH = 100
SEED = 20261121


def nonsense(rng, valid):
    """Bytes: random, or a request that was cut, or one with some bytes changed, or with pieces of itself twice."""
    kind = rng.randrange(4)
    if kind == 0:
        return rng.randbytes(rng.randrange(400))
    if kind == 1:
        return valid[:rng.randrange(len(valid))]
    changed = bytearray(valid)
    if kind == 2:
        for _ in range(rng.randrange(1, 6)):
            changed[rng.randrange(len(changed))] = rng.randrange(256)
    else:
        begin = rng.randrange(len(changed))
        changed[begin:begin] = changed[begin:begin + rng.randrange(60)]
    return bytes(changed)


@pytest.mark.early
@pytest.mark.slow
def test_thousands_of_malformed_messages_are_answered_and_leave_the_memory_flat(client, daemon):
    rng = random.Random(SEED)
    valid = request("print(1)", args=["a", "b"], env={"A": "b"}, labels={"c": "d"}, limits={"wall_time_ms": 1000}).SerializeToString()
    method = client.channel.unary_stream("/caisson.v1.RunService/Execute", request_serializer=None, response_deserializer=None)
    dispatcher = daemon.dispatcher_pid()
    codes, before = {}, None
    for number in range(MESSAGES):
        if number == MESSAGES // 10:
            before = processes.resident_bytes(dispatcher)
        try:
            list(method(nonsense(rng, valid), timeout=scaled(60)))
            codes["OK"] = codes.get("OK", 0) + 1
        except grpc.RpcError as error:
            codes[error.code().name] = codes.get(error.code().name, 0) + 1
    print(f"\nseed {SEED}: {codes}")
    assert set(codes) <= {"OK", "INVALID_ARGUMENT", "UNIMPLEMENTED", "NOT_FOUND"}
    assert codes["INVALID_ARGUMENT"] > MESSAGES / 4
    assert daemon.dispatcher_pid() == dispatcher
    assert processes.resident_bytes(dispatcher) - before < 6 * MIB
    assert client.live_runs() == []


@pytest.mark.slow
def test_calls_canceled_at_a_thousand_random_moments_leave_nothing(client, daemon):
    def one(seed):
        rng = random.Random(seed)
        connection = Client(daemon.address)
        for _ in range(CALLS_EACH):
            call = connection.start(request("print(1)", limits={"memory_bytes": 32 * MIB}))
            time.sleep(rng.random() * 0.05)  # the moment is what is random here
            call.cancel()
        connection.close()

    threads = [threading.Thread(target=one, args=(SEED + number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert processes.wait_until(lambda: daemon.run_pids() == [], scaled(10))
    assert processes.wait_until(lambda: client.live_runs() == [], scaled(10))
    assert client.execute("print('on')").stdout == b"on\n"


# A place of the host's, or who somebody is there. /box, /dev, /tmp and /usr are what a program itself sees.
OF_THE_HOST = re.compile(r"/run/|/sys/|/proc/|/var/|/root|/home|/etc/|cgroup|caisson-[0-9a-f]{6,}|\b19\d{8}\b|\.(cc|h):\d+")


def texts(message):
    """Every string in a protobuf message but what the program itself wrote."""
    for field, value in message.ListFields():
        if field.message_type is not None and field.message_type.name == "Isolation":
            continue
        values = value if field.label == field.LABEL_REPEATED else [value]
        for one in values:
            if isinstance(one, str):
                yield one
            elif hasattr(one, "ListFields"):
                yield from texts(one)


def test_no_text_of_a_result_or_refusal_names_a_place_of_the_host(client):
    results = [
        client.execute("print(1)"), client.execute("import os; os.abort()"), client.execute("raise SystemExit(3)"),
        client.execute("while True: pass", limits={"cpu_time_ms": 100}),
        client.execute("import time; time.sleep(9)", limits={"wall_time_ms": 200}),
        client.execute("x = bytearray(1 << 28)", limits={"memory_bytes": 32 * MIB}),
        client.execute("import ctypes; ctypes.CDLL(None).mount(b'', b'/', b'tmpfs', 0, 0)"),
        client.execute(b"not a program", "native"),
        client.send(request(profile="c", files={"main.c": "int main("}, main_file="main.c")),
    ]
    said = [text for outcome in results for event in outcome.events for text in texts(event)]
    refusals = [
        client.refused(request("pass", profile="nothing")), client.refused(request("pass", limits={"pids": 0})),
        client.refused(request(files={"/etc/x": ""}, main_file="/etc/x")), client.raw_refused(b"\xff\xff"),
        client.unary("GetRun", client.api.run.GetRunRequest(name="runs/" + "0" * 32))[1],
    ]
    assert all(isinstance(refusal, Refusal) for refusal in refusals)
    said += [refusal.message for refusal in refusals]
    assert len(said) > 40
    assert [text for text in said if OF_THE_HOST.search(text.replace("/etc/x", ""))] == []
