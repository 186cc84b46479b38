"""Output files: whatever a program leaves below /box, nothing foreign comes out, nothing is waited for without end, and
what is not delivered is listed with its reason. The walk itself is tested in tests/unit/sandbox/collect_test.cc."""

import time

import pytest

from collected import SETUP, collect
from support.client import Client
from support.environment import roomy, scaled

# --- links

@pytest.mark.parametrize("target", ["/etc/passwd", "/proc/self/environ", "/proc/1/environ", "/proc/self/fd/0",
                                    "/proc/self/root/etc/passwd", "/dev/zero", "/dev/stdin", "/usr/bin/python3", "link",
                                    "../main.py", "missing", "."])
def test_symbolic_links_are_not_followed(out, target):
    left = out(f"os.symlink({target!r}, 'out/link')\nos.symlink('out/link', 'again')", ["out", "again", "out/link"])
    assert left.files == {}
    assert left.refused == {"out/link": "LINK", "again": "LINK"}


def test_directories_behind_links_are_not_entered(out):
    left = out("os.symlink('/etc', 'out/etc')\nos.symlink('/', 'out/root')\nos.symlink('out/root/..', 'up')",
               ["out/etc/passwd", "out/root/etc/passwd", "out/root/proc/self/environ", "up/etc/passwd", "out"])
    assert left.files == {}
    assert set(left.refused.values()) == {"LINK"} and len(left.refused) == 6


def test_an_output_directory_exchanged_for_a_link_is_refused(out):
    left = out("open('out/kept', 'w').write('x')\nos.rename('out', 'moved')\nos.symlink('/etc', 'out')", ["out", "out/passwd"])
    assert left.files == {}
    assert left.refused == {"out": "LINK", "out/passwd": "LINK"}


def test_box_exchanged_for_something_else_is_what_it_was(out):
    left = out("""
for old, new in (('/box', '/box2'), ('/tmp', '/box'), ('/box/out', '/box')):
    try:
        os.rename(old, new)
        print('renamed', old)
    except OSError as error:
        pass
open('/box/out/file', 'w').write('mine')
""")
    assert left.files == {"out/file": b"mine"} and left.outcome.stdout == b""


def test_hard_links_are_refused_under_every_name(out):
    left = out("open('out/a', 'w').write('x')\nos.link('out/a', 'out/b')\nos.link('main.py', 'out/c')\n"
               "os.symlink('x', 'out/d')\nos.link('out/d', 'out/e', follow_symlinks=False)", ["out", "main.py"])
    assert left.files == {}
    assert left.refused == {"out/a": "HARD_LINK", "out/b": "HARD_LINK", "out/c": "HARD_LINK", "main.py": "HARD_LINK",
                            "out/d": "LINK", "out/e": "LINK"}


def test_files_of_the_root_cannot_be_linked_into_box(out):
    left = out("""
for name in ('/etc/passwd', '/usr/bin/python3', '/proc/self/environ', '/dev/zero', '/.caisson-landlock-probe'):
    try:
        os.link(name, 'out/' + os.path.basename(name))
        print('linked', name)
    except OSError:
        pass
""")
    assert left.files == {} and left.refused == {} and left.outcome.stdout == b""


# --- what is no file

def test_sockets_fifos_and_devices_are_not_opened(out):
    left = out("""
socket.socket(socket.AF_UNIX).bind('out/socket')
os.mkfifo('out/fifo')
try:
    os.mknod('out/zero', stat.S_IFCHR | 0o666, os.makedev(1, 5))
    print('a device')
except OSError:
    pass
""", ["out", "out/fifo", "out/socket"], profile="wide-python")
    assert left.files == {} and left.outcome.stdout == b""
    assert left.refused == {"out/socket": "NOT_A_FILE", "out/fifo": "NOT_A_FILE"}


def test_a_fifo_with_a_writer_that_stays_holds_nobody_up(out):
    started = time.monotonic()
    left = out("""
os.mkfifo('out/fifo')
if os.fork() == 0:
    os.setsid()
    os.open('out/fifo', os.O_RDWR)
    time.sleep(100)
""", profile="wide-python")
    assert left.refused == {"out/fifo": "NOT_A_FILE"}
    assert time.monotonic() - started < scaled(10)


def test_a_file_that_is_deleted_or_never_had_a_name_does_not_come(out):
    left = out("f = open('out/gone', 'w')\nf.write('x' * 10000)\nf.flush()\nos.unlink('out/gone')\n"
               "os.open('out', os.O_TMPFILE | os.O_RDWR)\nopen('out/stays', 'w').write('y')")
    assert left.files == {"out/stays": b"y"} and left.refused == {}


def test_nothing_can_be_mounted_where_files_are_collected(out):
    left = out("""
libc = ctypes.CDLL(None, use_errno=True)
os.makedirs('out/d')
open('out/f', 'w').write('mine')
for source, at, kind, flags in ((b'/etc', b'out/d', None, 4096), (b'/etc/passwd', b'out/f', None, 4096),
                                (b'proc', b'out/d', b'proc', 0), (b'tmpfs', b'out', b'tmpfs', 0)):
    if libc.mount(source, at, kind, flags, None) == 0:
        print('mounted', source)
if libc.umount2(b'/box', 2) == 0:
    print('unmounted')
""", profile="wide-python")
    assert left.files == {"out/f": b"mine"} and left.refused == {} and left.outcome.stdout == b""


def test_a_file_that_is_locked_open_and_mapped_is_delivered_all_the_same(out):
    left = out("""
import fcntl, mmap
f = open('out/file', 'w+b')
f.write(b'mine')
f.flush()
fcntl.flock(f, fcntl.LOCK_EX)
fcntl.lockf(f, fcntl.LOCK_EX)
mapped = mmap.mmap(f.fileno(), 4)
if os.fork() == 0:
    os.setsid()
    time.sleep(100)
""")
    assert left.files == {"out/file": b"mine"} and left.refused == {}


# --- processes that outlive main

def test_a_process_that_exchanges_file_and_link_for_ever_changes_nothing(out):
    for _ in range(5):
        left = out("""
libc = ctypes.CDLL(None)
open('out/file', 'w').write('mine')
os.symlink('/etc/passwd', 'other')
if os.fork() == 0:
    os.setsid()
    open('pulse', 'w')
    while True:
        libc.renameat2(-100, b'out/file', -100, b'other', 2)
while not os.path.exists('pulse'):
    pass
""", profile="wide-python")
        assert left.files in ({}, {"out/file": b"mine"})
        assert left.refused == ({} if left.files else {"out/file": "LINK"})


def test_a_process_that_exchanges_a_directory_for_ever_changes_nothing(out):
    left = out("""
os.makedirs('out/d')
open('out/d/passwd', 'w').write('mine')
if os.fork() == 0:
    os.setsid()
    open('pulse', 'w')
    while True:
        os.rename('out/d', 'aside')
        os.symlink('/etc', 'out/d')
        os.unlink('out/d')
        os.rename('aside', 'out/d')
while not os.path.exists('pulse'):
    pass
""", ["out/d/passwd", "out"])
    assert left.files in ({}, {"out/d/passwd": b"mine"})


def test_a_file_that_grows_comes_as_large_as_it_was_when_all_were_dead(out):
    left = out("""
if os.fork() == 0:
    os.setsid()
    with open('out/file', 'ab', buffering=0) as file:
        while True:
            file.write(b'x' * 4096)
while not os.path.exists('out/file') or os.path.getsize('out/file') < 100000:
    pass
""")
    content = left.files["out/file"]
    assert len(content) >= 100000 and set(content) == {ord("x")}


def test_what_a_memory_mapping_wrote_last_comes(out):
    left = out("import mmap\nf = open('out/file', 'w+b')\nf.truncate(8192)\nm = mmap.mmap(f.fileno(), 8192)\n"
               "m[0:4] = b'head'\nm[8188:8192] = b'tail'\nos._exit(0)")
    assert left.files["out/file"] == b"head" + bytes(8184) + b"tail"


@pytest.mark.parametrize("end, verdict, limits", [
    ("x = bytearray(400 << 20)", "MEMORY_LIMIT", {}),
    ("while True: pass", "CPU_TIME_LIMIT", {"cpu_time_ms": roomy(500)}),
    ("time.sleep(100)", "WALL_TIME_LIMIT", {"wall_time_ms": roomy(1000)}),
    ("os.kill(os.getpid(), 9)", "SIGNALED", {}),
    ("ctypes.CDLL(None).ptrace(0, 0, 0, 0)", "SYSCALL_VIOLATION", {}),
])
def test_files_come_after_every_end_of_a_program(out, end, verdict, limits):
    left = out(f"open('out/file', 'w').write('kept')\nos.symlink('/etc/passwd', 'out/link')\n{end}", limits=limits)
    assert left.outcome.verdict() == verdict
    assert left.files == {"out/file": b"kept"} and left.refused == {"out/link": "LINK"}


# --- afterwards

def test_a_place_with_a_hostile_tree_in_it_is_free_again_at_once(make_daemon):
    daemon = make_daemon(max_runs=1)
    client = Client(daemon.address)
    try:
        collect(client, SETUP + "for i in range(20000): os.mkdir(f'out/{i}')\nos.chmod('out', 0)", ["out"],
                limits={"inode_count": 65_536})
        started = time.monotonic()
        assert client.execute("print('next')").stdout == b"next\n"
        assert time.monotonic() - started < scaled(5)
    finally:
        client.close()


def test_a_run_without_output_paths_delivers_nothing(attacker):
    outcome = attacker.execute("open('file', 'w').write('x')")
    assert "output_file" not in outcome.kinds()
    assert not outcome.result.outputs and not outcome.result.refused_outputs and not outcome.result.outputs_incomplete
