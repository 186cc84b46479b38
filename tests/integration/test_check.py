"""caissond --check: each control is tested by using it, so a host without it is found out; what is weak is told and stops nothing."""

import errno
import json
import pathlib
import subprocess

import jsonschema
import pytest

from support.client import Client
from support.daemon import Daemon
from support.environment import CAISSON, CAISSOND, REPOSITORY, scaled
from support.refusals import refusing, telling
from support.users import ensure_user

SCHEMA = json.loads((REPOSITORY / "deploy" / "caissond-check.schema.json").read_text(encoding="utf-8"))
UNSHARE = 272

# Control -> how the host is made to lack it: what its check must then say is "fail", or "warn" where only some profiles need it.
REFUSED = {
    "namespace_user": ("fail", refusing(UNSHARE, errno.EPERM, argument=0, mask=0x10000000, value=0x10000000)),
    "namespace_pid": ("fail", refusing(UNSHARE, errno.EPERM, argument=0, mask=0x20000000, value=0x20000000)),
    "namespace_mount": ("fail", refusing(UNSHARE, errno.EPERM, argument=0, mask=0x00020000, value=0x00020000)),
    "namespace_network": ("fail", refusing(UNSHARE, errno.EPERM, argument=0, mask=0x40000000, value=0x40000000)),
    "namespace_ipc": ("fail", refusing(UNSHARE, errno.EPERM, argument=0, mask=0x08000000, value=0x08000000)),
    "namespace_uts": ("fail", refusing(UNSHARE, errno.EPERM, argument=0, mask=0x04000000, value=0x04000000)),
    "namespace_cgroup": ("fail", refusing(UNSHARE, errno.EPERM, argument=0, mask=0x02000000, value=0x02000000)),
    "user_namespace_ids": ("fail", refusing(308, errno.EPERM)),                             # setns
    "loopback": ("warn", refusing(42, errno.ENETUNREACH)),                                  # connect
    "mount_tmpfs": ("fail", refusing(165, errno.EPERM)),                                    # mount
    "mount_pivot": ("fail", refusing(155, errno.EINVAL)),                                   # pivot_root
    "mount_proc": ("fail", refusing(165, errno.EINVAL, argument=3, mask=15, value=15)),     # mount, of proc: ro, nosuid, nodev, noexec
    "mount_devpts": ("fail", refusing(16, errno.EIO, argument=1, value=0x5441)),            # ioctl TIOCGPTPEER
    "pidfd": ("fail", refusing(424, errno.ENOSYS)),                                         # pidfd_send_signal
    "memfd_seal": ("fail", refusing(319, errno.ENOSYS)),                                    # memfd_create
    "memfd_exec": ("fail", refusing(322, errno.EACCES)),                                    # execveat
    "close_range": ("fail", refusing(436, errno.ENOSYS)),
    "seccomp_notify": ("fail", refusing(317, errno.EINVAL)),                                # seccomp
    "seccomp_wait_killable": ("warn", refusing(317, errno.EINVAL, argument=1, mask=32, value=32)),
    "landlock": ("fail", refusing(444, errno.EOPNOTSUPP)),                                  # landlock_create_ruleset
    "cgroup": ("fail", refusing(258, errno.EROFS)),                                         # mkdirat
    "cgroup_kill": ("fail", refusing(435, errno.ENOSYS)),                                   # clone3
    "sandbox": ("fail", refusing(435, errno.ENOSYS)),
}
# What is falsified elsewhere, and where.
ELSEWHERE = {
    "root": "caissond --check without root ends before any check",
    "user": "HostCheckRealTest.AMissingOrPrivilegedUserFailsWithAMend",
    "id_range": "HostCheckRealTest.AnIdRangeOfSomebodyElseFails",
    "state_dir": "HostCheckRealTest.AStateDirectoryThatOthersCanWriteFails",
    "user_namespace_ban": "test_caissond_without_a_layer_says_so_itself",
    "cgroup_limits": "test_caissond_without_a_layer_says_so_itself",
    "cgroup_sockets": "CgroupTest.WhatSocketsHoldIsBounded",
    "cgroup_remove": "CgroupTest.ANameIsNeverUsedTwice",
    "swap": "CgroupTest: swap_is_bounded decides",
    "kernel_age": "HostHardeningTest.AnOldKernelIsWeak",
}
# Setting -> its file, a strong text and a weak one.
TOLD = {
    "core_pattern": ("/proc/sys/kernel/core_pattern", "core\n", "|/usr/share/apport/apport -p%p\n"),
    "aslr": ("/proc/sys/kernel/randomize_va_space", "2\n", "0\n"),
    "kptr_restrict": ("/proc/sys/kernel/kptr_restrict", "2\n", "0\n"),
    "dmesg_restrict": ("/proc/sys/kernel/dmesg_restrict", "1\n", "0\n"),
    "unprivileged_bpf": ("/proc/sys/kernel/unprivileged_bpf_disabled", "2\n", "0\n"),
    "io_uring": ("/proc/sys/kernel/io_uring_disabled", "2\n", "0\n"),
    "perf_events": ("/proc/sys/kernel/perf_event_paranoid", "3\n", "-1\n"),
    "protected_symlinks": ("/proc/sys/fs/protected_symlinks", "1\n", "0\n"),
    "protected_hardlinks": ("/proc/sys/fs/protected_hardlinks", "1\n", "0\n"),
    "protected_fifos": ("/proc/sys/fs/protected_fifos", "1\n", "0\n"),
    "protected_regular": ("/proc/sys/fs/protected_regular", "2\n", "0\n"),
    "smt": ("/sys/devices/system/cpu/smt/active", "0\n", "1\n"),
    "ksm": ("/sys/kernel/mm/ksm/run", "0\n", "1\n"),
    "huge_pages": ("/sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n", "[always] madvise never\n"),
    "cpu_vulnerabilities": ("/sys/devices/system/cpu/vulnerabilities", "Mitigation: PTI\n", "Vulnerable: no microcode\n"),
}
THERE = {name: told for name, told in TOLD.items() if pathlib.Path(told[0]).exists()}


@pytest.fixture(autouse=True)
def user(privileged):  # pylint: disable=unused-argument
    ensure_user()


def check(preexec_fn=None, program=(CAISSOND, "--check", "--json")):
    """(exit code, {name: check}) of the whole."""
    done = subprocess.run([str(word) for word in program], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=scaled(60),
                          check=False, preexec_fn=preexec_fn)  # pylint: disable=subprocess-popen-preexec-fn
    assert done.stdout, done.stderr
    report = json.loads(done.stdout)
    jsonschema.validate(report, SCHEMA)
    names = [one["name"] for one in report["checks"]]
    assert len(set(names)) == len(names)
    assert report["ok"] == (done.returncode == 0) == all(one["state"] != "fail" for one in report["checks"])
    return done.returncode, {one["name"]: one for one in report["checks"]}


def test_this_host_has_every_control_and_doctor_says_the_same():
    code, checks = check()
    assert code == 0, [one for one in checks.values() if one["state"] == "fail"]
    doctor, same = check(program=(CAISSON, "doctor", "--json"))
    assert doctor == 0
    assert {name: one["state"] for name, one in same.items()} == {name: one["state"] for name, one in checks.items()}


def test_every_check_is_falsified_somewhere():
    """A check that nobody has ever seen fail proves nothing."""
    _, checks = check()
    assert set(checks) - set(REFUSED) - set(ELSEWHERE) - set(TOLD) == set()


@pytest.mark.parametrize("control", REFUSED)
def test_a_control_that_the_kernel_refuses_is_found_missing(control):
    state, refuse = REFUSED[control]
    code, checks = check(refuse)
    assert checks[control]["state"] == state, checks[control]
    assert checks[control]["mend"]
    assert (code == 0) == (state == "warn")


def test_weak_settings_are_listed_with_what_to_type_and_stop_nothing():
    assert len(THERE) >= 10
    with telling({path: weak for path, _, weak in THERE.values()}) as weakened:
        code, checks = check(weakened)
    assert code == 0
    for name, (path, _, _) in THERE.items():
        assert checks[name]["state"] == "warn", checks[name]
        mend = checks[name]["mend"]
        if path.startswith("/proc/sys/"):
            key = path.removeprefix("/proc/sys/").replace("/", ".")
            assert mend.startswith(f"sysctl -w {key}="), mend
        else:
            assert mend.startswith(("echo ", "apt-get ")), mend


def test_strong_settings_are_ok():
    with telling({path: strong for path, strong, _ in THERE.values()}) as strengthened:
        _, checks = check(strengthened)
    assert {name for name in THERE if checks[name]["state"] != "ok"} == set()


def test_text_names_a_weak_setting_and_its_mend():
    with telling({"/proc/sys/kernel/randomize_va_space": "0\n"}) as weakened:
        done = subprocess.run([CAISSOND, "--check"], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=scaled(60),
                              check=False, preexec_fn=weakened)  # pylint: disable=subprocess-popen-preexec-fn
    lines = done.stdout.splitlines()
    place = next(number for number, line in enumerate(lines) if " aslr " in line)
    assert lines[place].startswith("warn  aslr")
    assert lines[place + 1].strip() == "mend: sysctl -w kernel.randomize_va_space=2"


class WeakHostDaemon(Daemon):
    """caissond on a host without random addresses."""

    def command(self, *extra):
        fake = self.directory / "randomize_va_space"
        fake.write_text("0\n")
        script = 'mount --bind "$0" /proc/sys/kernel/randomize_va_space && exec "$@"'
        return ["/usr/bin/unshare", "--mount", "/bin/sh", "-c", script, str(fake), *super().command(*extra)]


def test_weak_host_is_served_and_the_log_says_what_to_type():
    with WeakHostDaemon() as running:
        assert any("aslr: " in line and "(sysctl -w kernel.randomize_va_space=2)" in line for line in running.log)
        client = Client(running.address)
        assert client.execute("print(1)").stdout == b"1\n"
        client.close()
