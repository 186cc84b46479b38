"""Reload by the admin service: what SIGHUP does, with an answer."""

import concurrent.futures
import hashlib
import json
import os
import pathlib
import signal
import subprocess

import grpc
import pytest

from support import protos
from support.admin import AdminDaemon
from support.client import request
from support.environment import CAISSON, scaled
from support.processes import wait_until
from support.tokens import TokenClient, bearer, entry, in_seconds, new_token


class Reloaded(AdminDaemon):
    """With policies of alpha and default, and a file of tokens, all of which a test can change."""

    def __init__(self):
        super().__init__()
        self.policies = self.daemon.directory / "policies"
        self.policies.mkdir(mode=0o755)
        self.tokens = self.daemon.directory / "tokens.json"
        self.daemon.config["tenants_dir"] = str(self.policies)
        self.daemon.config["tokens_file"] = str(self.tokens)
        self.daemon.config["listeners"].append({"socket": self.address("token"), "authentication": "token"})
        self.policy("default", profiles=["*"])
        self.policy("alpha", profiles=["python"])
        self.write_tokens()

    def policy(self, tenant, **members):
        self.write(self.policies / f"{tenant}.json", {"schema_version": 1, "tenant": tenant, **members})

    def write_tokens(self, *entries):
        self.write(self.tokens, {"schema_version": 1, "tokens": list(entries)})

    @staticmethod
    def write(path, content):
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        os.chmod(path, 0o644)


@pytest.fixture(name="served")
def fixture_served(privileged):  # pylint: disable=unused-argument
    with Reloaded() as served:
        yield served


def faults(error):
    """(subject, description) of each violation of a PreconditionFailure."""
    api = protos.load()
    found = []
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            for detail in api.status.Status.FromString(value).details:
                failure = api.error_details.PreconditionFailure()
                if detail.Unpack(failure):
                    assert {violation.type for violation in failure.violations} == {"CONFIGURATION"}
                    found += [(violation.subject, violation.description) for violation in failure.violations]
    return found


def refused(admin):
    with pytest.raises(grpc.RpcError) as error:
        admin.stub.Reload(admin.api.ReloadRequest(), timeout=scaled(30))
    return error.value


def test_policies_and_tokens_are_read_again_and_their_digests_told(served):
    admin, alpha = served.admin(), served.client("alpha")
    before = admin.must("Reload")
    assert (before.policies, before.tokens) == (2, 0)
    assert before.policy_digest.startswith("sha256:")
    assert before.tokens_digest == "sha256:" + hashlib.sha256(served.tokens.read_bytes()).hexdigest()
    told = {name: tenant.policy_digest for name, tenant in admin.tenants().items()}
    served.policy("alpha", profiles=["nothing"])
    token = new_token()
    served.write_tokens(entry(token, "alpha", expires=in_seconds(3600)))
    after = admin.must("Reload")
    assert (after.policies, after.tokens) == (2, 1)
    assert after.policy_digest != before.policy_digest and after.tokens_digest != before.tokens_digest
    # When it is answered it is in force.
    assert alpha.refused(request("pass")).reason == "PROFILE_NOT_ALLOWED"
    by_token = TokenClient(served.address("token"), bearer(token))
    assert by_token.info().tenant == "alpha"
    by_token.close()
    now = {name: tenant.policy_digest for name, tenant in admin.tenants().items()}
    assert now["default"] == told["default"] and now["alpha"] != told["alpha"]


def test_unchanged_files_have_the_same_digests(served):
    admin = served.admin()
    assert admin.must("Reload") == admin.must("Reload")


def test_unchanged_files_are_not_held_twice(served):
    """A dispatcher that asks again and again, and reads no answer, would else have caissond hold a copy for each."""
    def copy():
        folder = pathlib.Path(f"/proc/{served.daemon.pid}/fd")
        return {os.stat(link).st_ino for link in folder.iterdir() if os.readlink(link).startswith("/memfd:caisson-policies")}
    admin = served.admin()
    before = copy()
    admin.must("Reload")
    assert len(before) == 1 and copy() == before
    served.policy("alpha", profiles=["python"], weight=2)
    admin.must("Reload")
    assert len(copy()) == 1 and copy() != before


def test_every_fault_is_told_with_file_line_and_key_and_nothing_changes(served):
    admin, alpha = served.admin(), served.client("alpha")
    before = admin.must("Reload")
    served.write(served.policies / "alpha.json", '{\n "schema_version": 1,\n "tenant": "alpha",\n "profile": [],\n "weight": 0\n}\n')
    served.write_tokens(entry(new_token(), "alpha", expires=in_seconds(3600)))
    error = refused(admin)
    assert error.code() == grpc.StatusCode.FAILED_PRECONDITION
    told = faults(error)
    assert len(told) >= 2
    file = served.policies / "alpha.json"
    subjects = [subject for subject, _ in told]
    assert f"{file}:4: profile" in subjects and f"{file}:5: weight" in subjects
    assert error.details().startswith(": ".join(told[0]))
    # All or nothing: the good file of tokens is not taken either.
    assert admin.tenants()["alpha"].policy_digest != "" and alpha.execute("pass").verdict() == "COMPLETED"
    served.policy("alpha", profiles=["python"])
    served.write_tokens()
    assert admin.must("Reload") == before


def test_token_file_that_others_may_write_is_refused(served):
    os.chmod(served.tokens, 0o666)
    error = refused(served.admin())
    assert error.code() == grpc.StatusCode.FAILED_PRECONDITION and str(served.tokens) in error.details()


def test_runs_go_on_through_a_reload(served):
    call = served.client("alpha").start(request("print('here', flush=True)\nimport time\ntime.sleep(60)"))
    call.until_output(b"here")
    served.policy("alpha", profiles=["nothing"])
    admin = served.admin()
    admin.must("Reload")
    assert admin.tenants()["alpha"].runs_active == 1
    call.cancel()


def test_drained_daemon_reloads_and_stays_drained(served):
    admin = served.admin()
    admin.must("Drain")
    admin.must("Reload")
    assert served.client("alpha").refused(request("pass")).reason == "SHUTTING_DOWN"


def test_many_at_the_same_time_share_few_readings(served):
    admins = [served.admin() for _ in range(12)]
    with concurrent.futures.ThreadPoolExecutor(len(admins)) as pool:
        answers = list(pool.map(lambda admin: admin.must("Reload"), admins))
    assert all(answer == answers[0] for answer in answers)
    assert len([line for line in served.daemon.log if "asks to reload" in line]) <= 4
    assert served.client("alpha").execute("pass").verdict() == "COMPLETED"


def test_sighup_and_an_admin_do_the_same(served):
    served.policy("alpha", profiles=["nothing"])
    served.daemon.process.send_signal(signal.SIGHUP)
    alpha = served.client("alpha")
    assert wait_until(lambda: served.admin().tenants()["alpha"].quotas is not None
                      and any("reloaded: " in line for line in served.daemon.log), scaled(10))
    digest = served.admin().tenants()["alpha"].policy_digest
    served.admin().must("Reload")
    assert served.admin().tenants()["alpha"].policy_digest == digest
    assert alpha.refused(request("pass")).reason == "PROFILE_NOT_ALLOWED"


def test_new_dispatcher_has_what_was_reloaded(served):
    served.policy("alpha", profiles=["nothing"])
    served.admin().must("Reload")
    before = served.daemon.dispatcher_pid()
    os.kill(before, 9)
    assert wait_until(lambda: served.daemon.dispatcher_pid() not in (None, before), scaled(10))
    assert served.client("alpha").refused(request("pass")).reason == "PROFILE_NOT_ALLOWED"
    served.policy("alpha", profiles=["python"])
    served.admin().must("Reload")
    assert served.client("alpha").execute("pass").verdict() == "COMPLETED"


def caisson(*arguments):
    return subprocess.run([CAISSON, *arguments], capture_output=True, text=True, timeout=scaled(60), check=False)


def test_command_line_reloads_and_tells_every_fault(served):
    socket = ("--socket", served.address("admin"))
    done = caisson("admin", "reload", *socket)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("reloaded: 2 policies, sha256:") and "; 0 tokens, sha256:" in done.stdout
    shown = json.loads(caisson("admin", "reload", "--json", *socket).stdout)
    assert shown["policies"] == "2" and shown["policy_digest"].startswith("sha256:")
    served.write(served.policies / "alpha.json", '{\n "schema_version": 1,\n "tenant": "alpha",\n "profile": [],\n "weight": 0\n}\n')
    spoilt = caisson("admin", "reload", *socket)
    assert (spoilt.returncode, spoilt.stdout) == (1, "")
    lines = spoilt.stderr.splitlines()
    assert any(line.startswith(f"caisson: {served.policies}/alpha.json:4: profile: ") for line in lines), lines
    assert lines[-1] == "caisson: not reloaded: what was in force stays"
