"""What hostile or broken peers of TLS cost: handshakes that never end, connections without end, who does not read."""

import contextlib
import os
import select
import socket
import ssl
import tempfile
import threading
import time

import pytest

from support.environment import scaled
from support.processes import wait_until
from support.tls import Door, is_unreachable, trusting


def test_handshakes_that_never_end_are_ended_and_others_are_served(place, connect):
    with Door(place.servers, place.clients, *place.options(), "--handshake-timeout-ms", "1000") as own:
        slow = [socket.create_connection(("127.0.0.1", own.port), timeout=scaled(30)) for _ in range(50)]
        for index, one in enumerate(slow):
            one.sendall(b"\x16\x03\x01\x02\x00"[:index % 5])
        assert connect(own, place.alpha).info().tenant == "alpha"
        for one in slow:
            with contextlib.suppress(ConnectionError):
                assert one.recv(1) == b""
            one.close()
        assert own.says("the handshake did not come to its end in time")


PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
PING = bytes([0, 0, 8, 6, 0, 0, 0, 0, 0]) + bytes(8)
PING_ANSWERED = bytes([0, 0, 8, 6, 1, 0, 0, 0, 0]) + bytes(8)


def silent(door, source="127.0.0.1"):
    """A connection that says nothing."""
    return socket.create_connection(("127.0.0.1", door.port), timeout=scaled(30), source_address=(source, 0))


def speaking(door, place, source="127.0.0.1"):
    """A connection without a certificate that has got through to the daemon, and shows no token."""
    one = trusting(place).wrap_socket(silent(door, source), server_hostname="localhost")
    one.sendall(PREFACE)
    assert one.recv(9)
    return one


def answers(one):
    one.sendall(PING)
    got = b""
    while PING_ANSWERED not in got:
        piece = one.recv(4096)
        assert piece, "it was ended"
        got += piece


def is_ended(one):
    with contextlib.suppress(ConnectionError, ssl.SSLEOFError):
        while one.recv(4096):
            pass
    return True


def test_connections_are_bounded_and_come_back(place, connect):
    with Door(place.servers, place.clients, *place.options(), "--max-connections-per-address", "3") as own:
        many = [speaking(own, place) for _ in range(3)]
        assert is_ended(silent(own))
        assert own.says("its address has too many connections")
        for one in many:
            answers(one)
            one.close()
        assert wait_until(lambda: not is_unreachable(connect(own, place.alpha)), scaled(20))


def test_silent_connections_of_an_address_do_not_use_up_what_it_may_have(place, connect):
    with Door(place.servers, place.clients, *place.options(), "--max-connections-per-address", "3", "--handshake-timeout-ms", "600000") as own:
        many = [silent(own) for _ in range(3)]
        assert connect(own, place.alpha).info().tenant == "alpha"
        assert is_ended(many[0])
        assert own.says("its address has too many connections; it made room for another")
        for one in many:
            one.close()


def test_who_shows_nothing_does_not_keep_out_who_has_a_certificate(place, connect):
    with Door(place.servers, place.clients, *place.options(), "--max-connections", "8", "--handshake-timeout-ms", "600000") as own, contextlib.ExitStack() as open_ones:
        tokenless = [open_ones.enter_context(speaking(own, place)) for _ in range(4)]
        shaking = [open_ones.enter_context(silent(own)) for _ in range(4)]
        clients = [connect(own, place.alpha) for _ in range(4)]
        for client in clients:
            assert client.info().tenant == "alpha"
        # Those who have one take the room of those who are silent, not that of those who may have a token.
        assert all(is_ended(one) for one in shaking)
        for one in tokenless:
            answers(one)


def test_who_is_idle_without_a_certificate_makes_room(place, connect):
    with Door(place.servers, place.clients, *place.options(), "--max-connections", "8") as own, contextlib.ExitStack() as open_ones:
        many = [open_ones.enter_context(speaking(own, place)) for _ in range(4)]
        for one in (many[0], many[1], many[3]):
            answers(one)
        assert connect(own, token=place.token).info().tenant == "beta"
        assert own.says("there are too many connections without a certificate; it made room for another")
        assert is_ended(many[2])
        for one in (many[0], many[1], many[3]):
            answers(one)


def test_who_has_many_connections_makes_room_before_who_has_few(place, connect):
    with Door(place.servers, place.clients, *place.options(), "--max-connections", "8") as own, contextlib.ExitStack() as open_ones:
        few = open_ones.enter_context(speaking(own, place, "127.0.0.2"))
        many = [open_ones.enter_context(speaking(own, place, "127.0.0.3")) for _ in range(3)]
        assert connect(own, token=place.token).info().tenant == "beta"
        assert is_ended(many[0])
        for one in (few, *many[1:]):
            answers(one)


def test_handshakes_at_once_are_bounded(place, connect):
    with Door(place.servers, place.clients, *place.options(), "--max-connections", "8", "--handshake-timeout-ms", "600000") as own:
        client = connect(own, place.alpha)
        assert client.info().tenant == "alpha"
        many = [silent(own) for _ in range(3)]
        assert is_ended(many[0])
        assert own.says("there are too many handshakes at once; it made room for another")
        assert client.info().tenant == "alpha"
        for one in many[1:]:
            one.setblocking(False)
            with pytest.raises(BlockingIOError):
                one.recv(1)
            one.close()


def test_silent_connections_that_come_again_keep_out_nobody(place, connect):
    """The default bounds: two addresses fill the part of those who have shown nothing, and come again at once where they are ended."""
    with Door(place.servers, place.clients, *place.options()) as own, contextlib.ExitStack() as open_ones:
        stop = threading.Event()

        def besiege(source):
            poll, here = select.poll(), {}
            while not stop.is_set():
                while len(here) < 128:
                    one = open_ones.enter_context(silent(own, source))
                    here[one.fileno()] = one
                    poll.register(one, select.POLLIN)
                for number, _ in poll.poll(50):
                    poll.unregister(number)
                    here.pop(number).close()

        besiegers = [threading.Thread(target=besiege, args=(source,)) for source in ("127.0.0.2", "127.0.0.3")]
        for one in besiegers:
            one.start()
        try:
            # Each try is a newcomer to a part that is full, which the door's log shows.
            assert wait_until(lambda: not is_unreachable(connect(own, place.alpha)) and
                              any("handshakes at once" in line for line in own.log), scaled(30))
            for _ in range(8):
                assert connect(own, place.alpha).info().tenant == "alpha"
                assert connect(own, token=place.token).info().tenant == "beta"
        finally:
            stop.set()
            for one in besiegers:
                one.join(scaled(30))


def test_all_connections_together_are_bounded(place, connect):
    with Door(place.servers, place.clients, *place.options(), "--max-connections", "1") as own:
        first = connect(own, place.alpha)
        assert first.info().tenant == "alpha"
        with socket.create_connection(("127.0.0.1", own.port), timeout=scaled(30)) as second, contextlib.suppress(ConnectionError):
            assert second.recv(1) == b""
        assert own.says("there are too many connections")
        assert first.info().tenant == "alpha"


def test_idle_connection_is_ended(place, connect):
    with Door(place.servers, place.clients, *place.options(), "--idle-timeout-ms", "1500") as own:
        client = connect(own, place.alpha)
        assert client.info().tenant == "alpha"
        assert own.says("it was idle")
        assert wait_until(lambda: not is_unreachable(client), scaled(30))


def resident(pid):
    return int(next(line for line in open(f"/proc/{pid}/status", encoding="ascii") if line.startswith("VmRSS")).split()[1])


@contextlib.contextmanager
def in_place_of_the_daemon(place, *options):
    """(door, listener, shake): a door to a socket of the test's own, and TLS connections to it by shake()."""
    with tempfile.TemporaryDirectory(prefix="caisson-tls-", dir="/run") as directory, contextlib.ExitStack() as open_ones:
        os.chmod(directory, 0o755)
        listener = open_ones.enter_context(socket.socket(socket.AF_UNIX))
        listener.bind(f"{directory}/daemon.sock")
        os.chmod(f"{directory}/daemon.sock", 0o666)
        listener.listen()
        listener.settimeout(scaled(30))
        with Door(place.servers, None, "--token-socket", f"unix:{directory}/daemon.sock", *options) as door:
            def shake():
                plain = open_ones.enter_context(socket.create_connection(("127.0.0.1", door.port), timeout=scaled(30)))
                return open_ones.enter_context(trusting(place).wrap_socket(plain, server_hostname="localhost"))
            yield door, listener, shake


def send_and_receive(client, data):
    """As many bytes as it sends. By one thread: OpenSSL's connections are not for two at once."""
    client.setblocking(False)
    got, sent = bytearray(), 0
    deadline = time.monotonic() + scaled(60)
    while len(got) < len(data):
        assert time.monotonic() < deadline, f"{sent} bytes went out, {len(got)} came back"
        moved = False
        if sent < len(data):
            with contextlib.suppress(ssl.SSLWantReadError, ssl.SSLWantWriteError):
                sent += client.send(data[sent:sent + 65_536])
                moved = True
        with contextlib.suppress(ssl.SSLWantReadError, ssl.SSLWantWriteError):
            got += client.recv(65_536)
            moved = True
        if not moved:
            select.select([client], [client] if sent < len(data) else [], [], scaled(1))
    return got


def test_bytes_come_whole_both_ways_at_once(place):
    with in_place_of_the_daemon(place) as (_, listener, shake):
        client = shake()
        daemon = listener.accept()[0]
        data = os.urandom(8 << 20)

        def echo():
            while piece := daemon.recv(100_000):
                daemon.sendall(piece)
            daemon.close()

        echoing = threading.Thread(target=echo)
        echoing.start()
        assert send_and_receive(client, data) == data
        client.setblocking(True)
        client.unwrap().close()
        echoing.join(scaled(30))
        assert not echoing.is_alive()


def test_end_of_the_daemons_connection_is_told_and_not_a_cut(place):
    with in_place_of_the_daemon(place) as (_, listener, shake):
        client = shake()
        daemon = listener.accept()[0]
        daemon.sendall(b"last words")
        daemon.close()
        got = b""
        while piece := client.recv(100):  # a connection that was cut would be an SSLError
            got += piece
        assert got == b"last words"


def fill(end, piece=b"x" * 65536):
    """Sends until nothing moves for a second; how much there was room for."""
    end.setblocking(False)
    sent, since = 0, time.monotonic()
    while time.monotonic() < since + 1:
        try:
            sent += end.send(piece)
            since = time.monotonic()
        except (BlockingIOError, ssl.SSLWantWriteError):
            select.select([], [end], [], 0.1)
    return sent


@pytest.mark.parametrize("who", ["client", "daemon"])
def test_who_does_not_read_stops_the_other_costs_a_buffer_and_is_ended(place, who):
    with in_place_of_the_daemon(place, "--write-timeout-ms", "5000") as (door, listener, shake):
        client = shake()
        daemon = listener.accept()[0]
        before = resident(door.process.pid)
        # The kernel's buffers take some megabytes; the door itself does not go on.
        assert 0 < fill(daemon if who == "client" else client) < 64 << 20
        assert resident(door.process.pid) - before < 4 * 1024
        assert door.says("a peer did not read"), door.log
