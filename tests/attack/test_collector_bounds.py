"""How much comes out of a run, and under which names: bounds, hostile names, modes. test_collector.py has the rest."""

import time

import grpc
import pytest

from collected import MAX_FILES, MAX_REFUSALS
from support.client import request
from support.environment import scaled


# --- sizes and numbers

def test_a_file_of_holes_is_refused(out):
    left = out("open('out/f', 'w').truncate(1 << 30)\nopen('out/small', 'w').write('x')",
               limits={"file_size_bytes": 1 << 30})
    assert left.files == {"out/small": b"x"} and left.refused == {"out/f": "SPARSE"}


def test_a_tebibyte_cannot_even_be_made(out):
    left = out("try:\n    os.truncate(os.open('out/f', os.O_CREAT | os.O_WRONLY), 1 << 40)\nexcept OSError as e:\n"
               "    print(e.errno)\n")
    assert left.files == {"out/f": b""} or left.outcome.verdict() == "SIGNALED"  # SIGXFSZ, where it is not ignored


@pytest.mark.slow
def test_a_file_larger_than_all_may_be_is_refused_and_the_rest_comes(out):
    left = out("""
def fill(name, size):
    with open(name, 'wb') as file:
        for _ in range(size >> 20):
            file.write(bytes(1 << 20))
fill('out/a', 300 << 20)
fill('out/b', 200 << 20)
fill('out/c', 100 << 20)
open('out/d', 'w').write('small')
""", limits={"disk_bytes": 1 << 30, "file_size_bytes": 1 << 30, "memory_bytes": 2 << 30, "cpu_time_ms": 60_000,
             "wall_time_ms": 60_000})
    assert left.refused == {"out/a": "TOO_LARGE", "out/c": "TOO_LARGE"}
    assert {path: len(content) for path, content in left.files.items()} == {"out/b": 200 << 20, "out/d": 5}


def test_sixty_thousand_files_are_a_thousand_and_a_list(out):
    started = time.monotonic()
    left = out("for i in range(60000): os.close(os.open(f'out/{i:05}', os.O_CREAT | os.O_WRONLY))",
               limits={"inode_count": 65_536, "cpu_time_ms": 60_000, "wall_time_ms": 60_000})
    assert len(left.files) == MAX_FILES and list(left.files)[-1].startswith("out/")
    assert len(left.refused) == MAX_REFUSALS and set(left.refused.values()) == {"TOO_MANY"}
    assert left.result.refused_outputs_unlisted > 0
    assert time.monotonic() - started < scaled(40)


def test_thousands_of_refusals_are_listed_in_part_and_counted_all(out):
    left = out("for i in range(3000): os.symlink('/etc/passwd', f'out/{i:05}')")
    assert left.files == {} and len(left.refused) == MAX_REFUSALS
    assert left.result.refused_outputs_unlisted == 3000 - MAX_REFUSALS


def test_three_hundred_levels(out):
    left = out("os.chdir('out')\nfor i in range(300):\n    open('f', 'w').write('x')\n    os.mkdir('d')\n    os.chdir('d')")
    assert len(left.files) == 33 and left.refused == {"out/" + "/".join("d" * 33): "TOO_DEEP"}


def test_a_path_longer_than_the_api_carries(out):
    left = out("os.chdir('out')\nfor i in range(8):\n    os.mkdir('n' * 255)\n    os.chdir('n' * 255)\n"
               "    open('f', 'w').write('x')")
    assert sorted(map(len, left.files)) == [3 + 256 * n + 2 for n in range(1, 4)]
    assert list(left.refused.values()) == ["NAME_TOO_LONG"]


def test_a_full_disk_gives_what_was_written(out):
    left = out("""
n = 0
try:
    with open('out/large', 'wb', buffering=0) as file:
        while True:
            file.write(b'x' * 65536)
except OSError as error:
    print(error.errno)
""", limits={"disk_bytes": 1 << 20})
    assert left.outcome.stdout == b"28\n"
    assert 900_000 < len(left.files["out/large"]) <= 1 << 20


def test_no_inode_left_is_no_hindrance(out):
    left = out("""
try:
    for i in range(100000):
        os.mkdir(f'out/{i}')
except OSError as error:
    print(error.errno)
open('main.py', 'w').write('kept')
""", ["out", "main.py"], limits={"inode_count": 100})
    assert left.outcome.stdout == b"28\n" and left.files == {"main.py": b"kept"} and left.refused == {}


# --- names and modes

def test_hostile_names_are_delivered_as_they_are_or_refused(out):
    left = out("""
for name in (b'new\\nline', b'\\x1b[2J', b'\\xff\\xfe', b'a\\x7f', b'-rf', b'...', b' ', b'$(id)',
             b'back\\\\slash', 'caf\\u00e9'.encode(), 'cafe\\u0301'.encode(), '\\u202egpj.exe'.encode(), b'A', b'a', b'~', b'.hidden'):
    open(b'out/' + name, 'wb').write(name)
""")
    for path, content in left.files.items():
        assert content == path.removeprefix("out/").encode()
    assert set(left.files) >= {f"out/{name}" for name in ["-rf", "...", " ", "$(id)", "back\\slash", "caf\u00e9", "cafe\u0301",
                                                         "A", "a", "~", ".hidden"]}
    assert left.refused == {"out/new\\x0aline": "INVALID_NAME", "out/\\x1b[2J": "INVALID_NAME",
                            "out/\\xff\\xfe": "INVALID_NAME", "out/a\\x7f": "INVALID_NAME"}


@pytest.mark.parametrize("path", ["../etc/passwd", "/etc/passwd", "out/../../etc/passwd", "", "out//x", "./out", "out/", "a\0b",
                                  "out/.", "x" * 1025])
def test_paths_that_lead_away_are_refused_before_anything_runs(attacker, path):
    refusal = attacker.refused(request("print(1)", output_paths=[path]))
    assert refusal.code == grpc.StatusCode.INVALID_ARGUMENT
    assert refusal.fields == ["output_paths[0]"]


@pytest.mark.parametrize("path", ["proc/self/environ", "etc/passwd", "usr/bin/python3", "dev/zero", "tmp/x", "box/out", "main.py/x"])
def test_paths_outside_box_are_not_there(out, path):
    left = out("open('/tmp/x', 'w').write('not in /box')\nopen('/dev/shm/x', 'w').write('nor here')", [path])
    assert left.files == {} and left.refused == {path: "NOT_FOUND"}


def test_modes_hide_nothing_and_only_the_execute_bit_travels(out):
    left = out("""
for mode in (0o000, 0o200, 0o111, 0o6755, 0o1777, 0o100):
    name = f'out/{mode:o}'
    open(name, 'w').write(name)
    os.chmod(name, mode)
os.mkdir('out/d')
open('out/d/f', 'w').write('f')
os.chmod('out/d', 0)
os.chmod('out', 0)
os.chmod('.', 0)
""")
    assert left.files.pop("out/d/f") == b"f"
    assert all(content == path.encode() for path, content in left.files.items())
    assert {int(path[4:], 8) for path in left.files} == {0o000, 0o200, 0o111, 0o6755, 0o1777, 0o100}
    assert left.executables == {"out/111", "out/6755", "out/1777", "out/100"}


def test_attributes_of_files_do_not_travel_and_are_no_hindrance(out):
    left = out("""
open('out/file', 'w').write('mine')
for name in ('user.x', 'security.capability', 'trusted.x', 'system.posix_acl_access'):
    for path in ('out/file', 'out'):
        try:
            os.setxattr(path, name, b'x' * 1000)
            print('set', name)
        except OSError:
            pass
""", profile="wide-python")
    assert left.files == {"out/file": b"mine"} and left.executables == set() and left.refused == {}


@pytest.mark.parametrize("pattern", ["*", "out/*", "out/?", "out/[ab]", "{out,main.py}", "~", "$HOME", "out/**/a"])
def test_output_paths_are_names_and_no_patterns(out, pattern):
    left = out("os.makedirs('out/d')\nopen('out/a', 'w').write('a')\nopen('out/d/a', 'w').write('a')", [pattern])
    assert left.files == {} and left.refused == {pattern: "NOT_FOUND"}


def test_nested_paths_come_once(out):
    left = out("os.makedirs('out/a/b')\nopen('out/a/b/c', 'w').write('c')\nos.symlink('x', 'out/a/l')",
               ["out/a/b/c", "out", "out/a", "out/a/l", "out/a/missing"])
    assert left.files == {"out/a/b/c": b"c"}
    assert left.refused == {"out/a/l": "LINK", "out/a/missing": "NOT_FOUND"}


def test_an_input_that_is_asked_for_is_what_the_program_made_of_it(out):
    left = out("open('main.py', 'w').write('rewritten')\nos.unlink('data')\nos.symlink('/etc/passwd', 'data')",
               ["main.py", "data", "Main.py"], files={"data": "an input"})
    assert left.files == {"main.py": b"rewritten"}
    assert left.refused == {"data": "LINK", "Main.py": "NOT_FOUND"}


def test_all_of_box_can_be_asked_for(out):
    left = out("open('file', 'w').write('x')\nos.symlink('/', 'out/root')", ["."])
    assert set(left.files) == {"main.py", "file"} and left.refused == {"out/root": "LINK"}
