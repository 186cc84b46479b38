"""TLS before the daemon: who gets to which socket, who gets to none, and what a reload changes."""

import contextlib
import os
import re
import socket
import ssl
import subprocess

import grpc
import pytest

from support.client import request
from support.environment import REPOSITORY, scaled
from support.processes import wait_until
from support.tls import TLS, USER, Door, is_unreachable, trusting
from support.tokens import new_token

WAITING = "print('here', flush=True)\nimport time\ntime.sleep(60)"


def is_refused(client):
    """The call finds no server: the handshake failed, or the connection ended before a byte of an answer."""
    with pytest.raises(grpc.RpcError) as error:
        client.info()
    return error.value.code() == grpc.StatusCode.UNAVAILABLE


def test_certificate_names_the_tenant(place, door, connect):
    client = connect(door, place.alpha)
    info = client.info()
    assert (info.tenant, info.role) == ("alpha", "run")
    assert client.execute("print('hello')").stdout == b"hello\n"


def test_token_names_the_tenant_where_no_certificate_is_shown(place, door, connect):
    assert connect(door, token=place.token).info().tenant == "beta"
    with pytest.raises(grpc.RpcError) as error:
        connect(door, token=new_token()).info()
    assert error.value.code() == grpc.StatusCode.UNAUTHENTICATED
    with pytest.raises(grpc.RpcError) as error:
        connect(door).info()
    assert error.value.code() == grpc.StatusCode.UNAUTHENTICATED


def test_token_is_ignored_where_a_certificate_names_the_tenant(place, door, connect):
    assert connect(door, place.alpha, token=place.token).info().tenant == "alpha"


@pytest.mark.parametrize("names, says", [
    (None, "names no tenant"),
    ("DNS:alpha", "names no tenant"),
    ("URI:caisson:tenant/beta", "a tenant that is not served here"),
    ("URI:caisson:tenant/alpha,URI:caisson:tenant/beta", "names several tenants"),
    ("URI:caisson:tenant/Alpha", "names several tenants, or one that has no name"),
    ("URI:caisson:tenant/", "names several tenants, or one that has no name"),
])
def test_certificate_without_a_tenant_of_this_door_is_refused(place, connect, names, says):
    # Also with a token that holds: a certificate that names nobody is not the same as none.
    shown = place.clients.client("other", names)
    with Door(place.servers, place.clients, *place.options()) as own:
        assert is_refused(connect(own, shown, token=place.token))
        assert own.says(says), own.log


def test_example_unit_names_options_that_there_are():
    unit = (REPOSITORY / "deploy" / "tls" / "caisson-tls.service").read_text(encoding="utf-8")
    told = subprocess.run([TLS, "--help"], capture_output=True, text=True, timeout=scaled(30), check=True).stdout
    options = re.findall(r"(--[a-z-]+) ", unit.split("ExecStart=")[1].split("ExecReload")[0])
    assert len(options) == 4 and all(option in told for option in options)


@pytest.mark.parametrize("kind", ["stranger", "expired", "server"])
def test_refused_certificate_ends_the_handshake(place, connect, kind):
    names = "URI:caisson:tenant/alpha"
    shown = {"stranger": lambda: place.strangers.client("a", names), "expired": lambda: place.clients.client("b", names, days=-1),
             "server": lambda: place.clients.issue("c", names, "serverAuth")}[kind]()
    with Door(place.servers, place.clients, *place.options()) as own:
        assert is_refused(connect(own, shown, token=place.token))
        assert own.says("the handshake failed: certificate verify failed"), own.log


def test_certificate_of_another_authority_is_refused(place, door, connect):
    for shown in (place.strangers.client("alpha", "URI:caisson:tenant/alpha"), place.servers.client("alpha", "URI:caisson:tenant/alpha")):
        assert is_refused(connect(door, shown, token=place.token))


def test_certificate_that_has_expired_is_refused(place, door, connect):
    assert is_refused(connect(door, place.clients.client("old", "URI:caisson:tenant/alpha", days=-1)))


def test_certificate_of_a_server_is_no_clients(place, door, connect):
    assert is_refused(connect(door, place.clients.issue("wrong", "URI:caisson:tenant/alpha", "serverAuth")))


def test_without_a_token_socket_a_certificate_is_needed(place, connect):
    with Door(place.servers, place.clients, "--tenant", f"alpha={place.alpha_socket}") as own:
        assert is_refused(connect(own, token=place.token))
        assert connect(own, place.alpha).info().tenant == "alpha"


def test_client_that_does_not_know_the_authority_of_the_door_goes_away(place, door, connect):
    assert is_refused(connect(door, token=place.token, authority=place.strangers))


def shaken(door, context, server_hostname="localhost"):
    with socket.create_connection(("127.0.0.1", door.port), timeout=scaled(30)) as plain:
        with context.wrap_socket(plain, server_hostname=server_hostname) as connection:
            return connection.version(), connection.selected_alpn_protocol(), connection.recv(1)


def test_tls_before_1_3_is_refused(place, door):
    context = trusting(place)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(ssl.SSLError):
        shaken(door, context)
    assert shaken(door, trusting(place))[:2] == ("TLSv1.3", "h2")


@pytest.mark.parametrize("protocols, says", [
    ([], "it does not speak HTTP/2 (ALPN h2)"), (["http/1.1"], "the handshake failed"), (["h3", "spdy/1"], "the handshake failed")])
def test_client_that_does_not_offer_http_2_is_refused(place, protocols, says):
    context = ssl.create_default_context(cafile=str(place.servers.certificate))
    if protocols:
        context.set_alpn_protocols(protocols)
    with Door(place.servers, place.clients, *place.options()) as own:
        with contextlib.suppress(ssl.SSLError, ConnectionError):
            assert shaken(own, context)[2] == b""
        assert own.says(says), own.log


def test_sessions_are_not_resumed(place, door):
    context = trusting(place)
    with socket.create_connection(("127.0.0.1", door.port), timeout=scaled(30)) as plain:
        with context.wrap_socket(plain, server_hostname="localhost") as connection:
            connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0]))
            assert len(connection.recv(9)) == 9  # the daemon's settings, after which tickets would be here
            assert connection.session is None or not connection.session.has_ticket


def answer_to(door, data):
    with socket.create_connection(("127.0.0.1", door.port), timeout=scaled(30)) as plain:
        plain.sendall(data)
        got = b""
        try:
            while more := plain.recv(65536):
                got += more
        except ConnectionError:
            pass
        return got


def test_what_is_no_tls_gets_an_alert_at_most(door):
    for data in (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", b"\x16\x03\x01\xff\xff" + b"\0" * 20_000, os.urandom(4096)):
        assert len(answer_to(door, data)) <= 7


def test_plain_grpc_to_the_port_gets_no_server(place, door):
    channel = grpc.insecure_channel(f"127.0.0.1:{door.port}")
    with pytest.raises(grpc.RpcError) as error:
        place.tokens.showing().api.run_grpc.RunServiceStub(channel).GetServerInfo(
            place.tokens.showing().api.run.GetServerInfoRequest(), timeout=scaled(10))
    assert error.value.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)
    channel.close()


def test_large_output_comes_whole_through_the_door(place, door, connect):
    client = connect(door, place.alpha)
    outcome = client.execute("import sys\nfor i in range(64): sys.stdout.write(chr(97 + i % 26) * 65536)", limits={"output_bytes": 8 << 20})
    assert outcome.stdout == b"".join(bytes([97 + i % 26]) * 65536 for i in range(64))


def test_reload_takes_new_certificates_and_drops_no_stream(place, connect):
    with Door(place.servers, place.clients, *place.options()) as own:
        client = connect(own, place.alpha)
        call = client.start(request(WAITING))
        call.until_output(b"here")
        name = next(event.accepted.name for event in call.events if event.WhichOneof("event") == "accepted")
        own.place(*place.strangers.server())
        own.place_clients(place.strangers)
        own.reload()
        assert is_refused(connect(own, place.alpha, authority=place.strangers))
        after = connect(own, place.strangers.client("alpha", "URI:caisson:tenant/alpha"), authority=place.strangers)
        assert after.info().tenant == "alpha"
        # The stream of before is still there, and ends as a stream.
        after.unary("CancelRun", after.api.run.CancelRunRequest(name=name))
        assert call.finish().verdict() == "CANCELED"


@pytest.mark.parametrize("spoil, complaint", [
    (lambda files, place: (files / "server.crt").write_text("x"), "server.crt: is no certificate"),
    (lambda files, place: (files / "server.key").write_text("x"), "server.key: is no key, or not that of the certificate"),
    (lambda files, place: (files / "server.key").write_bytes(place.strangers.key.read_bytes()), "server.key: is no key, or not that of the certificate"),
    (lambda files, place: os.chmod(files / "server.key", 0o644), "server.key: others may read it: chmod o-r"),
    (lambda files, place: os.chmod(files / "server.crt", 0o666), "server.crt: others may write it: chmod go-w"),
    (lambda files, place: os.chown(files / "clients.crt", 1234, 0), "clients.crt: must be root's"),
    (lambda files, place: (files / "clients.crt").write_text("x"), "clients.crt: is no certificate"),
    (lambda files, place: (files / "server.crt").unlink(), "open server.crt"),
])
def test_reload_with_a_fault_changes_nothing(place, connect, spoil, complaint):
    with Door(place.servers, place.clients, *place.options()) as own:
        spoil(own.files, place)
        own.reload("not reloaded, what was in force stays")
        assert own.says(complaint), own.log
        assert connect(own, place.alpha).info().tenant == "alpha"


def test_daemon_that_is_gone_is_a_connection_that_ends(place, connect, make_daemon):
    other = make_daemon(start=False, profiles=["python"], ready_sandboxes=0)
    address = f"unix:{other.directory}/tenants/alpha.sock"
    other.config["listeners"] = [{"socket": address, "tenant": "alpha", "group": USER}]
    other.start()
    with Door(place.servers, place.clients, "--tenant", f"alpha={address}") as own:
        client = connect(own, place.alpha)
        assert client.info().tenant == "alpha"
        assert other.stop() == 0
        assert is_refused(client)
        other.start()
        assert wait_until(lambda: not is_unreachable(client), scaled(30))


@pytest.mark.parametrize("options, complaint", [
    ([], "nobody could be served"),
    (["--tenant", "alpha"], "give NAME=unix:/PATH"),
    (["--tenant", "Alpha=unix:/a"], "give NAME=unix:/PATH"),
    (["--tenant", "alpha=tcp:1"], "give unix:/PATH"),
    (["--tenant", "alpha=unix:/a", "--tenant", "alpha=unix:/b"], "stands twice"),
    (["--token-socket", "/a"], "give unix:/PATH"),
    (["--token-socket", "unix:/a", "--listen", "localhost:1"], "the address must be a number"),
    (["--token-socket", "unix:/a", "--listen", "127.0.0.1"], "give ADDRESS:PORT"),
    (["--token-socket", "unix:/a", "--listen", "127.0.0.1:x"], "the port must be a number"),
    (["--token-socket", "unix:/" + "a" * 120], "the path of a socket is too long"),
    ([word for number in range(65) for word in ("--tenant", f"t{number}=unix:/a")], "more than 64 sockets"),
])
def test_wrong_usage_is_told(options, complaint):
    listen = [] if "--listen" in options else ["--listen", "127.0.0.1:0"]
    done = subprocess.run([TLS, *listen, "--user", USER, *options], capture_output=True, text=True, timeout=scaled(30), check=False)
    assert done.returncode == 2 and complaint in done.stderr


def test_root_serves_nobody(place, tmp_path):
    os.chmod(tmp_path, 0o755)
    door = Door(place.servers, place.clients, *place.options())
    with door:
        done = subprocess.run([TLS, "--listen", "127.0.0.1:0", "--certificates", door.files, *place.options()], capture_output=True, text=True,
                              timeout=scaled(30), check=False)
    assert done.returncode == 1 and "root must not run the door" in done.stderr


def test_port_that_is_taken_is_told(place):
    with Door(place.servers, place.clients, *place.options()) as door:
        done = subprocess.run([TLS, "--listen", f"127.0.0.1:{door.port}", "--certificates", door.files, "--user", USER, *place.options()],
                              capture_output=True, text=True, timeout=scaled(30), check=False)
    assert done.returncode == 1 and "listen on" in done.stderr and "Address already in use" in done.stderr


def test_tenants_without_an_authority_of_clients_do_not_start(place):
    with Door(place.servers, place.clients, *place.options()) as door:
        (door.files / "clients.crt").unlink()
        done = subprocess.run([TLS, "--listen", "127.0.0.1:0", "--certificates", door.files, "--user", USER, *place.options()],
                              capture_output=True, text=True, timeout=scaled(30), check=False)
    assert done.returncode == 1 and "open clients.crt" in done.stderr


def test_directory_that_others_may_write_is_refused(place):
    with Door(place.servers, place.clients, *place.options()) as door:
        os.chmod(door.files, 0o777)
        done = subprocess.run([TLS, "--listen", "127.0.0.1:0", "--certificates", door.files, "--user", USER, *place.options()],
                              capture_output=True, text=True, timeout=scaled(30), check=False)
    assert done.returncode == 2 and "others may write it" in done.stderr
