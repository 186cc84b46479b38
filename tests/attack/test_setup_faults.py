"""Every system call that makes a sandbox fails in turn, in the released programs (fault_injection.py): nothing untrusted runs, the
result names the stage, the next run goes as usual, and nothing is left."""

import errno
import functools
import itertools
import time

import pytest

from attack_support import LayerDaemon
from fault_injection import Bench, Effect, Fault, Tracer, stages
from profiles import extra_profiles
from support import leakcheck, processes
from support.client import request
from support.environment import scaled
from support.interaction import Interaction
from support.native import compile_c

pytestmark = pytest.mark.slow

ERRORS = [errno.ENOMEM, errno.EMFILE, errno.ENOSPC, errno.EPERM, errno.EINTR]
MOST_CALLS = 3000  # a run has some hundreds in each role
PROGRAM = '#include <stdio.h>\nint main(void) { puts("ran"); return 0; }\n'
WALL_MS = 5000
SETUP_SECONDS = 10  # kSetupNanos of src/orchestrator/session.cc

# Calls of the set-up without which a run is the same: what they do is done already, or is nothing the run could feel.
HARMLESS = {
    "child": {"close", "exit", "rt_sigprocmask"},
    # Signals are at their defaults unless whoever started caissond changed them; what signalfd says init asks wait4 for.
    "init": {"close", "umask", "rt_sigaction", "clock_gettime", "getrusage", "exit_group", "ppoll", "kill", "wait4", "read"},
    "stub": {"close", "umask", "rt_sigprocmask", "clock_gettime"},
}
# With these the builder hears caissond and answers it: without them it cannot go on, and caissond not without it.
LINK = {"poll", "ppoll", "recvfrom", "recvmsg", "sendmsg", "sendto"}
# Instead of calls behind which it is: the one just before capset.
BEFORE_CAPSET = ("before capset",)
# What the client is told in words of its own, since its request may be the reason.
CLIENTS_WORDS = ["do not fit into the run's disk limit, and nothing ran", "could not execute the main file: Operation not permitted"]
# A call of init's failed, or one with which caissond reaches the dispatcher, so that nobody is sure what ran.
LOST = {"init": {"SERVICE_FAILED"}, "caissond": {"SERVICE_FAILED", "UNAVAILABLE"}}


def daemon_that_builds_on_demand():
    daemon = LayerDaemon(None, extra_profiles())
    daemon.config["ready_sandboxes"] = 0
    return daemon


@pytest.fixture(scope="module")
def faulty(privileged):  # pylint: disable=unused-argument
    """Nothing is built ahead: what a run needs is built when it asks, under the eyes of the tracer."""
    with leakcheck.nothing_left(), daemon_that_builds_on_demand() as daemon:
        yield daemon
        assert daemon.runs_are_gone()


@pytest.fixture
def bench(faulty):  # pylint: disable=redefined-outer-name
    made = Bench(faulty, plain)
    yield made
    assert not made.footprint.differs(), made.footprint.differs()
    made.close()


def plain(client, profile="native"):
    return client.start(request(compile_c(PROGRAM), profile=profile, limits={"wall_time_ms": WALL_MS}), timeout=30)


def with_loopback(client):
    return plain(client, "native-loopback")


def with_terminal(client):
    return Interaction(client).open(files={"main.sh": "echo ran"}, main_file="main.sh", profile="bash", terminal={})


def first_of(bench, tracer, role, name, after, action="error"):
    """The fault of the first call of that name behind others, each the first behind the one before it."""
    calls = bench.calls(tracer)[role]
    at = 0
    for one in (*after, name) if after != BEFORE_CAPSET else ("capset",):
        at = calls.index(one, at) + 1
    return Fault(role, calls[:at].count(name), action, errno.ENOMEM, name)


def complaint(bench: Bench, effect: Effect):
    """What is wrong with the way a run ended; empty if nothing is."""
    role = effect.fault.role
    if effect.verdict == "SANDBOX_SETUP_FAILED":
        if effect.program_ran or effect.stdout:
            return "it says that nothing ran"
        named = effect.stage is not None or any(words in effect.message for words in CLIENTS_WORDS)
        return "" if named else "it names no stage"
    if effect.verdict == "COMPLETED":
        if effect.stdout != bench.usual[2] or effect.isolation != bench.usual[3]:
            return f"it is not the run that it would have been: {set(effect.isolation.items()) ^ set(bench.usual[3].items())}"
        return "" if effect.call in HARMLESS.get(role, {effect.call}) else "a call that matters failed, and the run went on"
    return "" if effect.verdict in LOST.get(role, ()) and effect.message else "it ended for no reason that was given"


def check(bench: Bench, effect: Effect):
    """The effect, after the daemon has been looked at: as it was, and serving."""
    assert not complaint(bench, effect), f"{effect}: {complaint(bench, effect)}"
    if effect.verdict not in ("COMPLETED", "SANDBOX_SETUP_FAILED"):
        assert bench.serves(), f"{effect}: nothing is served any more"
    differs = bench.footprint.differs()
    assert not differs, f"{effect}: {differs}"
    return effect


def sweep(bench, tracer, role, action="error", values=tuple(ERRORS)):
    """The effects of one fault after the other, at every call of a run from the first to the last; each is checked."""
    for ordinal in itertools.count(1):
        assert ordinal < MOST_CALLS
        effect = bench.experiment(tracer, Fault(role, ordinal, action, values[ordinal % len(values)]))
        if effect.call is None:
            assert (effect.verdict, effect.stdout) == ("COMPLETED", bench.usual[2]), effect
            return
        yield check(bench, effect)


# Every call of a run, hundreds of them. In each turn each fails with one of the five errors, so that in the end each has failed with each.
@pytest.mark.long
@pytest.mark.parametrize("turn", range(len(ERRORS)))
@pytest.mark.parametrize("role, least", [("caissond", 40), ("child", 25), ("init", 200), ("stub", 100)])
def test_each_call_that_makes_a_sandbox_fails_in_turn_and_nothing_runs(bench, role, least, turn):
    errors = tuple(ERRORS[turn:] + ERRORS[:turn])
    with Tracer(bench.daemon.pid) as tracer:
        effects = list(sweep(bench, tracer, role, values=errors))
    assert len(effects) >= least, f"only {len(effects)} calls were made to fail"
    refused = [effect for effect in effects if effect.verdict == "SANDBOX_SETUP_FAILED"]
    assert len(refused) >= least // 3, f"only {len(refused)} of {len(effects)} were refused"


def sweep_of_one_builder(ordinal, values):
    """[(name of the call, whether caissond ended by it)] from the ordinal-th on, until one ended it or a run has no more."""
    effects = []
    with daemon_that_builds_on_demand() as daemon:
        bench = Bench(daemon, plain)
        with Tracer(daemon.pid) as tracer:
            while True:
                effect = bench.experiment(tracer, Fault("builder", ordinal, "error", values[ordinal % len(values)]))
                if effect.call is None:
                    break
                ended = processes.wait_until(lambda: daemon.process.poll() is not None, scaled(5 if effect.call in LINK else 0.1))
                effects.append((effect.call, ended))
                if ended:
                    assert effect.call in LINK, effect
                    assert daemon.process.returncode == 1, effect
                    assert not effect.program_ran and not effect.stdout, effect
                    break
                check(bench, effect)
                ordinal += 1
        bench.close()
    return effects


@pytest.mark.long
@pytest.mark.parametrize("turn", range(len(ERRORS)))
def test_each_call_of_the_builder_fails_in_turn_and_a_builder_that_is_lost_ends_caissond_clean(privileged, turn):  # pylint: disable=unused-argument
    errors = tuple(ERRORS[turn:] + ERRORS[:turn])
    effects = []
    while not effects or effects[-1][1]:
        with leakcheck.nothing_left():
            more = sweep_of_one_builder(len(effects) + 1, errors)
        if not more:
            break
        effects += more
    assert len(effects) >= 60, f"only {len(effects)} calls were made to fail"
    assert any(ended for _, ended in effects)


@pytest.mark.long
@pytest.mark.parametrize("role", ["init", "stub", "child"])
def test_each_process_of_a_sandbox_killed_at_each_call_leaves_nothing(bench, role):
    """A crash of init, of the stub, or of what becomes init."""
    with Tracer(bench.daemon.pid) as tracer:
        seen = set()
        for ordinal in itertools.count(1):
            effect = bench.experiment(tracer, Fault(role, ordinal, "kill"))
            if effect.call is None:
                break
            seen.add(effect.verdict)
            # Whoever kills a stub that was let go has killed the program before it began.
            assert effect.verdict in ("SANDBOX_SETUP_FAILED", "SERVICE_FAILED", "SIGNALED", "COMPLETED"), effect
            assert effect.verdict != "SIGNALED" or role == "stub", effect
            assert effect.verdict != "COMPLETED" or effect.stdout == b"ran\n", effect
            assert effect.verdict != "SANDBOX_SETUP_FAILED" or (effect.stage and not effect.program_ran), effect
            assert not bench.footprint.differs(), f"{effect}: {bench.footprint.differs()}"
        assert "SANDBOX_SETUP_FAILED" in seen
    assert bench.serves()


# A step that says it is done and has done nothing: a kernel that lies, or a mistake of ours. What caissond sees from outside decides.
LIES = [("init", "unshare", ()), ("init", "setns", ()), ("init", "setns", ("setns",)), ("init", "mount", ("umount2",)),
        ("init", "prctl", ("signalfd4", "prctl")), ("stub", "setresuid", ()), ("stub", "setresgid", ()), ("stub", "capset", ()), ("stub", "prctl", ("capset",)), ("stub", "landlock_restrict_self", ()), ("stub", "seccomp", ())]


@pytest.mark.parametrize("role, name, after", LIES)
def test_a_step_that_only_says_it_is_done_is_noticed_from_outside(bench, role, name, after):
    with Tracer(bench.daemon.pid) as tracer:
        effect = check(bench, bench.experiment(tracer, first_of(bench, tracer, role, name, after, "success")))
    assert effect.call == name
    assert effect.verdict == "SANDBOX_SETUP_FAILED" and not effect.program_ran, effect


def test_a_set_up_that_takes_too_long_is_ended(bench):
    with Tracer(bench.daemon.pid) as tracer:
        fault = first_of(bench, tracer, "init", "mount", ["mkdir"], "stop")
        begin = time.monotonic()
        effect = check(bench, bench.experiment(tracer, fault))
    assert effect.stage == "Deadline", effect
    assert SETUP_SECONDS <= time.monotonic() - begin <= SETUP_SECONDS + scaled(5)


# (stage, role, a call of it, calls behind which it is the first of its name).
STAGES = [
    ("Cgroup", "builder", "mkdirat", ()), ("UserNamespace", "builder", "pipe2", ()), ("Clone", "builder", "clone3", ("clone3",)),
    ("ExecInit", "child", "execveat", ()), ("IsolationReport", "caissond", "readlinkat", ()),
    ("Limits", "caissond", "openat", ("sendmsg", "sendmsg")),  # the order to the builder, and PREPARED
    ("Precedence", "init", "ioprio_set", ()),
    ("ReadPlan", "init", "lseek", ()), ("ParentDeath", "init", "prctl", ()), ("JoinCgroup", "init", "write", ("write",)),
    ("CgroupNamespace", "init", "unshare", ()), ("EnterTemplate", "init", "unshare", ("setns",)),
    ("BuildRoot", "init", "symlink", ()), ("MountWork", "init", "chown", ()),
    ("MountProc", "init", "mount", ("umount2",)), ("SealRoot", "init", "mount", ("umount2", "mount")), ("HostName", "init", "sethostname", ()), ("SetGroups", "init", "setgroups", ()),
    ("EnterUserNamespace", "init", "setns", ("setns",)), ("InitIds", "init", "setresuid", ()), ("Pipes", "init", "pipe2", ()),
    ("Bounding", "init", "prctl", ("signalfd4",)), ("CloneStub", "init", "clone", ()), ("InitLock", "init", "landlock_restrict_self", ()), ("InitProtocol", "init", "sendmsg", ()),
    ("StubCgroup", "stub", "write", ()), ("StubSession", "stub", "setsid", ()), ("StubWorkDir", "stub", "chdir", ()),
    ("StubIds", "stub", "setresuid", ()), ("StubSecurebits", "stub", "prctl", BEFORE_CAPSET), ("StubCapabilities", "stub", "capset", ()),
    ("StubNoNewPrivs", "stub", "prctl", ("capset",)), ("StubLandlock", "stub", "landlock_restrict_self", ()),
    ("StubFilter", "stub", "seccomp", ()), ("StubReport", "stub", "write", ("seccomp",)), ("StubDescriptors", "stub", "close_range", ()),
    ("StubBundle", "stub", "lseek", ()), ("StubFiles", "stub", "fchmod", ()), ("StubRlimits", "stub", "prlimit64", ()),
    ("StubExec", "stub", "write", ("rt_sigprocmask",)),
]
# The same of the init that builds a plan's template, by the number of the call among those of its name.
TEMPLATE_STAGES = [("Template", "builder", "poll", 1), ("PrivateMounts", "init", "mount", 1), ("MountRoot", "init", "mount", 2), ("Pivot", "init", "pivot_root", 1)]
ELSEWHERE = {
    **{stage: "test_a_template_that_cannot_be_built_fails_its_run_and_is_tried_again" for stage, *_ in TEMPLATE_STAGES},
    "IsolationCheck": "test_a_step_that_only_says_it_is_done_is_noticed_from_outside",
    "Deadline": "test_a_set_up_that_takes_too_long_is_ended",
    "Loopback": "test_what_only_some_runs_have_fails_with_its_stage", "Terminal": "test_what_only_some_runs_have_fails_with_its_stage",
}


def test_every_stage_has_a_fault():
    listed = [stage for stage, *_ in STAGES] + list(ELSEWHERE)
    assert sorted(listed) == sorted(stages().values())
    assert all(name in globals() for name in ELSEWHERE.values())


@pytest.mark.parametrize("stage, role, name, after", STAGES, ids=[stage for stage, *_ in STAGES])
def test_a_failing_stage_is_named(bench, stage, role, name, after):
    with Tracer(bench.daemon.pid) as tracer:
        effect = check(bench, bench.experiment(tracer, first_of(bench, tracer, role, name, after)))
    assert (effect.call, effect.verdict, effect.stage) == (name, "SANDBOX_SETUP_FAILED", stage), effect


def test_a_template_that_cannot_be_built_fails_its_run_and_is_tried_again(bench):
    unused = Bench(bench.daemon, plain)
    unused._start = functools.partial(plain, profile="wide")  # pylint: disable=protected-access
    with Tracer(bench.daemon.pid) as tracer:
        for stage, role, name, ordinal in TEMPLATE_STAGES:
            effect = check(unused, unused.experiment(tracer, Fault(role, ordinal, "error", errno.ENOMEM, name)))
            assert (effect.call, effect.verdict, effect.stage) == (name, "SANDBOX_SETUP_FAILED", stage), effect
    assert unused.serves()
    unused.close()


def test_a_run_that_stayed_in_the_template_is_refused(privileged):  # pylint: disable=unused-argument
    """A daemon of its own, since what such an init mounts is then in the template."""
    daemon = LayerDaemon(None, extra_profiles())
    daemon.config["ready_sandboxes"] = 0
    with daemon:
        bench = Bench(daemon, plain)
        with Tracer(daemon.pid) as tracer:
            effect = bench.experiment(tracer, first_of(bench, tracer, "init", "unshare", ("setns",), "success"))
            assert (effect.call, effect.verdict, effect.program_ran) == ("unshare", "SANDBOX_SETUP_FAILED", False), effect
        bench.close()


@pytest.mark.parametrize("start, name, stage", [(with_loopback, "socket", "Loopback"), (with_terminal, "ioctl", "Terminal")])
def test_what_only_some_runs_have_fails_with_its_stage(faulty, start, name, stage):
    some = Bench(faulty, start)
    with Tracer(faulty.pid) as tracer:
        effect = check(some, some.experiment(tracer, first_of(some, tracer, "init", name, ())))
    assert (effect.call, effect.verdict, effect.stage) == (name, "SANDBOX_SETUP_FAILED", stage), effect
    some.close()


# PREPARED, STARTED and FINISHED; between them go SETUP and GO to init.
@pytest.mark.parametrize("which", [2, 4, 5])
def test_a_message_that_the_dispatcher_cannot_be_sent_ends_its_session_and_not_in_silence(bench, which):
    with Tracer(bench.daemon.pid) as tracer:
        effect = check(bench, bench.experiment(tracer, Fault("caissond", which, "error", errno.ENOMEM, "sendmsg")))
    assert effect.call == "sendmsg" and effect.verdict in LOST["caissond"], effect


def test_what_fails_while_the_program_runs_is_not_called_a_failed_set_up(bench):
    with Tracer(bench.daemon.pid) as tracer:
        effect = check(bench, bench.experiment(tracer, Fault("init", 1, "error", errno.EINTR, "wait4")))
    assert (effect.call, effect.verdict, effect.program_ran) == ("wait4", "SERVICE_FAILED", True), effect
