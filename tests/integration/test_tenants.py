"""Several tenants on one daemon: a socket each, and nothing of one in any answer to another."""

import os
import pathlib
import socket
import stat
import subprocess

import grpc
import pytest

from support.client import Client, Refusal, request
from support.daemon import DaemonFailed
from support.environment import CAISSON, scaled
from support.processes import wait_dead
from support.tenants import CLOSED, NEVER_RUN, NOBODY, Tenants, knock

WAITING = "print('here', flush=True)\nimport time\ntime.sleep(60)"


@pytest.fixture(scope="module", name="tenants")
def fixture_tenants(privileged):  # pylint: disable=unused-argument
    with Tenants() as tenants:
        yield tenants


def names(client):
    listed, refusal = client.unary("ListRuns", client.api.run.ListRunsRequest(page_size=1000))
    assert refusal is None
    return [run.name for run in listed.runs]


def missing(client, method, name):
    """The refusal of a look-up that must find nothing."""
    message = getattr(client.api.run, method + "Request")(name=name)
    _, refusal = client.unary(method, message)
    assert refusal is not None
    return refusal


def test_each_socket_says_who_its_callers_are(tenants):
    told = {name: (info.tenant, info.role) for name in ("default", "alpha", "watch", "operator")
            for info in [tenants.client(name).info()]}
    assert told == {"default": ("default", "run"), "alpha": ("alpha", "run"), "watch": ("alpha", "observe"),
                    "operator": ("", "operator")}


@pytest.mark.parametrize("method", ["GetRun", "CancelRun"])
def test_another_tenants_run_is_as_missing_as_one_that_never_was(tenants, method):
    alpha = tenants.client("alpha")
    call = alpha.start(request(WAITING))
    name = call.until("accepted").accepted.name
    call.until_output(b"here")
    for other in ("beta", "default"):
        theirs = missing(tenants.client(other), method, name)
        never = missing(tenants.client(other), method, NEVER_RUN)
        assert theirs.code == never.code == grpc.StatusCode.NOT_FOUND
        assert (theirs.reason, theirs.metadata) == (never.reason, never.metadata)
        assert theirs.message.replace(name, "") == never.message.replace(NEVER_RUN, "")
    # Nobody else's cancellation reached it.
    run, _ = alpha.unary("GetRun", alpha.api.run.GetRunRequest(name=name))
    assert run.state == alpha.api.run.Run.RUNNING and run.tenant == "alpha"
    call.cancel()


def test_lists_hold_the_callers_own_tenants_runs_only(tenants):
    alpha = tenants.client("alpha").execute("pass").name
    beta = tenants.client("beta").execute("pass").name
    assert beta not in names(tenants.client("alpha")) and alpha in names(tenants.client("alpha"))
    assert alpha not in names(tenants.client("beta")) and beta in names(tenants.client("beta"))
    assert not {alpha, beta} & set(names(tenants.client("default")))


def test_page_tokens_tell_nothing_of_other_tenants(tenants):
    beta = tenants.client("beta")
    for _ in range(3):
        beta.execute("pass")

    def token():
        page, _ = beta.unary("ListRuns", beta.api.run.ListRunsRequest(page_size=1))
        return int(page.next_page_token)

    before = token()
    for _ in range(5):
        tenants.client("alpha").execute("pass")
    beta.execute("pass")
    assert token() == before + 1


def test_server_info_counts_the_callers_own_runs_only(tenants):
    call = tenants.client("alpha").start(request(WAITING))
    call.until_output(b"here")
    assert tenants.client("alpha").info().runs_active == 1
    assert tenants.client("beta").info().runs_active == 0
    assert tenants.client("operator").info().runs_active == 1
    call.cancel()


def test_observer_looks_and_does_nothing(tenants):
    alpha = tenants.client("alpha")
    call = alpha.start(request(WAITING))
    name = call.until("accepted").accepted.name
    call.until_output(b"here")
    watch = tenants.client("watch")
    assert name in names(watch)
    run, _ = watch.unary("GetRun", watch.api.run.GetRunRequest(name=name))
    assert run.state == watch.api.run.Run.RUNNING
    for refusal in (watch.refused(request("pass")), missing(watch, "CancelRun", name)):
        assert refusal.code == grpc.StatusCode.PERMISSION_DENIED
        assert (refusal.reason, refusal.metadata) == ("ROLE_NOT_ALLOWED", {"role": "observe"})
    call.cancel()


def test_interact_is_refused_to_those_who_start_no_runs(tenants):
    for name in ("watch", "operator"):
        client = tenants.client(name)
        with pytest.raises(grpc.RpcError) as error:
            list(client.stub.Interact(iter([]), timeout=scaled(30)))
        assert Refusal.of(error.value).reason == "ROLE_NOT_ALLOWED"


def test_operator_sees_and_ends_everybodys_runs_and_starts_none(tenants):
    operator = tenants.client("operator")
    call = tenants.client("beta").start(request(WAITING))
    name = call.until("accepted").accepted.name
    call.until_output(b"here")
    run, _ = operator.unary("GetRun", operator.api.run.GetRunRequest(name=name))
    assert run.tenant == "beta"
    assert operator.refused(request("pass")).reason == "ROLE_NOT_ALLOWED"
    operator.unary("CancelRun", operator.api.run.CancelRunRequest(name=name))
    assert call.finish().verdict() == "CANCELED"


def test_sockets_have_the_owner_and_mode_of_the_configuration(tenants):
    def found(name):
        info = os.stat(tenants.folder / f"{name}.sock")
        return stat.S_IMODE(info.st_mode), info.st_uid, info.st_gid

    assert found("alpha") == (0o660, 0, 0)
    assert found("beta") == (0o600, 0, 0)
    assert found("theirs") == (0o666, NOBODY, NOBODY)


def test_only_the_listeners_users_are_let_in(tenants):
    path = tenants.folder / "theirs.sock"
    assert knock(path, NOBODY) == "9"
    # Not root either: only those who are named.
    assert knock(path, 0) in CLOSED


def test_file_mode_keeps_others_out(tenants):
    assert knock(tenants.folder / "beta.sock", NOBODY) == "PermissionError"


def test_command_line_shows_tenants(tenants):
    name = tenants.client("alpha").execute("pass").name

    def caisson(who, *arguments):
        return subprocess.run([CAISSON, *arguments, "--socket", tenants.address(who)], capture_output=True, text=True,
                              timeout=scaled(30), check=True).stdout

    assert ", as tenant alpha, role run" in caisson("alpha", "version")
    assert ", as role operator" in caisson("operator", "version")
    table = caisson("operator", "ps", "--all").splitlines()
    assert table[0].split()[:2] == ["NAME", "TENANT"]
    assert [line.split()[1] for line in table if line.startswith(name)] == ["alpha"]


def test_tenants_sockets_outlive_a_dispatcher_that_dies(tenants):
    before = tenants.daemon.dispatcher_pid()
    os.kill(before, 9)
    assert wait_dead(before, scaled(10))
    client = tenants.client("alpha")
    assert client.execute("print('again')", timeout=60).stdout == b"again\n"
    assert client.info().tenant == "alpha"


def test_sockets_are_gone_after_a_stop_and_replaced_after_a_kill(make_daemon):
    daemon = make_daemon(start=False, profiles=["python"])
    path = daemon.directory / "tenants" / "alpha.sock"
    daemon.config["listeners"] = [{"socket": f"unix:{path}", "tenant": "alpha"}]
    daemon.start()
    daemon.kill9()
    assert path.exists()
    daemon.start()
    client = Client(f"unix:{path}")
    assert client.info().tenant == "alpha"
    client.close()
    assert daemon.stop() == 0
    assert not path.exists()


def failure(make_daemon, listener, prepare=lambda directory: None):
    daemon = make_daemon(start=False, profiles=["python"], listeners=[listener])
    prepare(daemon.directory)
    with pytest.raises(DaemonFailed) as failed:
        daemon.start()
    return "".join(failed.value.log)


def test_listener_whose_directory_others_may_write_keeps_caissond_from_starting(make_daemon, tmp_path):
    folder = pathlib.Path(tmp_path, "open")
    folder.mkdir()
    os.chmod(folder, 0o777)
    log = failure(make_daemon, {"socket": f"unix:{folder}/a.sock", "tenant": "alpha"})
    assert "must be root's and not writable by others" in log


def test_listener_where_somebody_listens_keeps_caissond_from_starting(make_daemon, tmp_path):
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(tmp_path / "a.sock"))
        other.listen()
        log = failure(make_daemon, {"socket": f"unix:{tmp_path}/a.sock", "tenant": "alpha"})
    assert "is in use: another server listens on it" in log


def test_listener_in_the_place_of_a_file_keeps_caissond_from_starting(make_daemon, tmp_path):
    (tmp_path / "a.sock").write_text("mine")
    log = failure(make_daemon, {"socket": f"unix:{tmp_path}/a.sock", "tenant": "alpha"})
    assert "something that is no socket has this name" in log
    assert (tmp_path / "a.sock").read_text() == "mine"


def test_unknown_user_of_a_listener_keeps_caissond_from_starting(make_daemon, tmp_path):
    log = failure(make_daemon, {"socket": f"unix:{tmp_path}/a.sock", "tenant": "alpha", "peer_users": ["no-such-user"]})
    assert "user no-such-user does not exist" in log
