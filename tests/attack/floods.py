#!/usr/bin/python3
"""Clients that abuse HTTP/2, each as a program: floods.py NAME SOCKET SECONDS. Started by test_client_floods.py.

Says `ready` when it has begun, goes on for SECONDS, and says in JSON what became of it: `sent` (in its own unit), `ended`: how many of
its connections the daemon ended. It yields to everybody else (nice 19): what it does to the daemon is under test, not its own use of a CPU.
"""

import json
import os
import pathlib
import resource
import struct
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from raw_http2 import (ACK, CONTINUATION, DATA, END_HEADERS, END_STREAM, HEADERS, INFO, PING, PREFACE, PRIORITY,  # noqa: E402
                       RST_STREAM, SETTINGS, WINDOW_UPDATE, Connection, call_headers, frame, indexed, integer, literal, message, settings)
from support.client import request  # noqa: E402

BATCH = 200
RESET = struct.pack(">I", 8)


def state(connections):
    """How many of them the daemon ends or has ended, looking for a moment."""
    return sum(connection.ended(0.001) for connection in connections)


def flood(path, data, seconds, first=b""):
    """One connection, the same bytes for all of the time."""
    connection = Connection(path)
    connection.send(first)
    sent = connection.flood(data, seconds)
    return {"sent": sent, "ended": state([connection])}


def calls(of_stream, seconds, path, batch=BATCH):
    """A connection that opens call after call; of_stream(n) are the frames of each."""
    connection = Connection(path)
    stream, sent, deadline = 1, 0, time.monotonic() + seconds
    while time.monotonic() < deadline:
        frames = b"".join(of_stream(stream + 2 * i) for i in range(batch))
        if not connection.flood(frames, deadline - time.monotonic(), 1):
            break
        stream, sent = stream + 2 * batch, sent + batch
    return {"sent": sent, "ended": state([connection])}


def hold(make, count, seconds):
    """`count` connections that stay; make(n) is one of them."""
    connections = []
    for number in range(count):
        try:
            connections.append(make(number))
        except OSError:
            break
    time.sleep(seconds)
    return {"sent": len(connections), "ended": state(connections)}


def half_preface(path, seconds):
    def make(number):
        connection = Connection(path, preface=False)
        connection.send(PREFACE[:number % len(PREFACE)])
        return connection
    return hold(make, 500, seconds)


def half_headers(path, seconds):
    def make(_):
        connection = Connection(path)
        connection.call(flags=0)
        return connection
    return hold(make, 500, seconds)


def half_requests(path, seconds):
    """Calls whose request never comes to its end, a byte now and then."""
    def make(_):
        connection = Connection(path)
        for _ in range(20):
            connection.send(frame(DATA, 0, connection.call(), struct.pack(">BI", 0, 1 << 20) + b"x"))
        return connection

    def drip(connections):
        while True:
            for connection in connections:
                try:
                    connection.send(frame(DATA, 0, 1, b"x"))
                except OSError:
                    pass
            time.sleep(0.2)

    connections = [make(number) for number in range(100)]
    threading.Thread(target=drip, args=(connections,), daemon=True).start()
    time.sleep(seconds)
    return {"sent": len(connections), "ended": state(connections)}


def many_calls(path, seconds):
    """Five connections with two thousand open calls each: more than all may have together."""
    def make(_):
        connection = Connection(path)
        for _ in range(2000):
            connection.call()
        return connection
    return hold(make, 5, seconds)


def too_many_calls(path, seconds):
    connection = Connection(path)
    sent = connection.flood(b"".join(frame(HEADERS, END_HEADERS, 1 + 2 * n, call_headers()) for n in range(10_000)), seconds, 1)
    return {"sent": sent, "ended": state([connection])}


def reset_with_request(path, seconds):
    body = message(request("print(1)").SerializeToString())
    return calls(lambda n: frame(HEADERS, END_HEADERS, n, call_headers()) + frame(DATA, END_STREAM, n, body)
                 + frame(RST_STREAM, 0, n, RESET), seconds, path)


def reset_by_the_server(path, seconds):
    """Not the client resets its calls, but the server, whom a frame against the rules makes do so (CVE-2025-8671)."""
    return calls(lambda n: frame(HEADERS, END_HEADERS, n, call_headers()) + frame(WINDOW_UPDATE, 0, n, bytes(4)), seconds, path)


def window_zero(path, seconds):
    connection = Connection(path)
    connection.send(frame(SETTINGS, 0, 0, settings(n4=0)))
    for _ in range(1500):
        connection.send(frame(DATA, END_STREAM, connection.call(INFO), message(b"")))
    time.sleep(seconds)
    return {"sent": 1500, "ended": state([connection])}


def unread(data, path, seconds):
    """Sends and never reads an answer."""
    connection = Connection(path, timeout=seconds)
    sent = 0
    try:
        while sent < 1_000_000:
            connection.send(data * BATCH)
            sent += BATCH
    except OSError:
        pass
    return {"sent": sent, "ended": state([connection])}


LONG_VALUE = call_headers() + bytes([0]) + integer(1, 7) + b"x" + integer(1 << 30, 7)
HEADER = literal("x-a", "b" * 1000)
# HPACK: one byte stands for a header of four thousand.
BOMB = literal("x-a", "a" * 3900, 0x40)

FLOODS = {
    "half_preface": half_preface,
    "half_headers": half_headers,
    "half_requests": half_requests,
    "idle": lambda path, seconds: hold(lambda _: Connection(path), 10_000, seconds),
    "many_calls": many_calls,
    "too_many_calls": too_many_calls,
    "reset": lambda path, seconds: calls(
        lambda n: frame(HEADERS, END_HEADERS, n, call_headers()) + frame(RST_STREAM, 0, n, RESET), seconds, path),
    "reset_with_request": reset_with_request,
    "reset_by_the_server": reset_by_the_server,
    "ping": lambda path, seconds: flood(path, frame(PING, 0, 0, bytes(8)) * BATCH, seconds),
    "ping_unread": lambda path, seconds: unread(frame(PING, 0, 0, bytes(8)), path, seconds),
    "ping_answers": lambda path, seconds: flood(path, frame(PING, ACK, 0, bytes(8)) * BATCH, seconds),
    "settings": lambda path, seconds: flood(path, frame(SETTINGS, 0, 0, settings(n4=65535)) * BATCH, seconds),
    "settings_unread": lambda path, seconds: unread(frame(SETTINGS, 0, 0, settings(n4=65535)), path, seconds),
    "priority": lambda path, seconds: flood(path, frame(PRIORITY, 0, 1, bytes(5)) * BATCH, seconds),
    "windows": lambda path, seconds: flood(path, frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 1)) * BATCH, seconds),
    "unknown_frames": lambda path, seconds: flood(path, frame(77, 0, 0, bytes(100)) * BATCH, seconds),
    "empty_data": lambda path, seconds: flood(path, frame(DATA, 0, 1) * BATCH, seconds, frame(HEADERS, END_HEADERS, 1, call_headers())),
    "continuations": lambda path, seconds: flood(
        path, frame(CONTINUATION, 0, 1, HEADER * 10) * 10, seconds, frame(HEADERS, 0, 1, call_headers())),
    "empty_continuations": lambda path, seconds: flood(
        path, frame(CONTINUATION, 0, 1) * BATCH, seconds, frame(HEADERS, 0, 1, call_headers())),
    "endless_value": lambda path, seconds: flood(
        path, frame(CONTINUATION, 0, 1, b"y" * 16000), seconds, frame(HEADERS, 0, 1, LONG_VALUE)),
    "huge_headers": lambda path, seconds: calls(
        lambda n: frame(HEADERS, END_HEADERS | END_STREAM, n, call_headers(extra=HEADER * 15)), seconds, path, 10),
    "header_bomb": lambda path, seconds: calls(
        lambda n: frame(HEADERS, END_HEADERS | END_STREAM, n, call_headers(extra=BOMB if n == 1 else indexed(62) * 4000)), seconds, path, 10),
    "window_zero": window_zero,
    "lying_length": lambda path, seconds: flood(path, b"y" * 16000, seconds, frame(DATA, 0, 1, b"", length=(1 << 24) - 1)),
    "another_protocol": lambda path, seconds: hold(lambda _: greeting(path), 100, seconds),
}


def greeting(path):
    connection = Connection(path, preface=False)
    connection.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    return connection


def main():
    name, path, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
    os.nice(19)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    print("ready", flush=True)
    print(json.dumps(FLOODS[name](path, seconds)), flush=True)


if __name__ == "__main__":
    main()
