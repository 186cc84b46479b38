"""Locks of files cost kernel memory that Linux charges to nobody: their number is bounded, and ordinary users of
locks notice nothing."""

import pytest
from support.environment import TIME_SCALE
from support.native import compile_c

# Tries to hold a million locks, each apart from the last so that the kernel cannot merge them.
MILLION_LOCKS = r"""
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
int main(void) {
  int fd = open("/box/locked", O_RDWR | O_CREAT, 0600);
  long held = 0, refused = 0;
  int first_error = 0;
  for (long i = 1000000; i > 0 && refused < 100; --i) {
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 2 * i, .l_len = 1};
    if (fcntl(fd, COMMAND, &lock) == 0) { ++held; continue; }
    if (refused++ == 0) first_error = errno;
  }
  printf("%ld %s\n", held, strerrorname_np(first_error));
  return 0;
}
"""

# Splits one lock again and again: each call leaves two more than there were.
SPLIT_LOCKS = r"""
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
int main(void) {
  int fd = open("/box/locked", O_RDWR | O_CREAT, 0600);
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 0};
  fcntl(fd, F_SETLK, &lock);
  long calls = 1;
  for (long i = 1000000; i > 0; --i, ++calls) {
    struct flock part = {.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = 2 * i, .l_len = 1};
    if (fcntl(fd, F_SETLK, &part) != 0) break;
  }
  char path[64];
  snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
  FILE *info = fopen(path, "r");
  char line[256];
  long held = 0;
  while (fgets(line, sizeof line, info) != NULL) held += line[0] == 'l';
  printf("%ld %ld\n", calls, held);
  return 0;
}
"""

UNLOCKED_AGAIN = r"""
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
int main(void) {
  int fd = open("/box/locked", O_RDWR | O_CREAT, 0600);
  for (int i = 0; i < 20000; ++i) {
    struct flock lock = {.l_type = i % 2 ? F_UNLCK : F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1};
    if (fcntl(fd, F_SETLK, &lock) != 0) { perror("fcntl"); return 1; }
  }
  printf("done\n");
  return 0;
}
"""

MOST_HELD = 16_384  # src/sandbox/init/lock_budget.h
SMALL = {"memory_bytes": 16 << 20, "wall_time_ms": 300_000, "cpu_time_ms": 300_000}


def slab_locks():
    """How many locks the whole host holds in kernel memory; None where the slab is merged with others."""
    with open("/proc/slabinfo", encoding="ascii") as slabs:
        for line in slabs:
            if line.startswith("file_lock_cache "):
                return int(line.split()[1])
    return None


def test_million_locks_of_a_process_stop_at_the_bound(client):
    outcome = client.execute(compile_c(MILLION_LOCKS.replace("COMMAND", "F_SETLK")), "native", limits=SMALL)
    held, error = outcome.stdout.split()
    assert error == b"ENOLCK"
    assert 8_000 <= int(held) <= MOST_HELD
    assert outcome.verdict() == "COMPLETED"
    assert outcome.denials() == {"fcntl": 100}  # each refusal is reported


def test_million_locks_of_an_open_file_stop_at_their_bound(client):
    outcome = client.execute(compile_c(MILLION_LOCKS.replace("COMMAND", "F_OFD_SETLK")), "native", limits=SMALL)
    assert outcome.stdout == b"2048 ENOLCK\n"


def test_a_lock_that_is_split_counts_for_its_pieces(client):
    outcome = client.execute(compile_c(SPLIT_LOCKS), "native", limits=SMALL)
    calls, held = map(int, outcome.stdout.split())
    assert held >= calls
    assert held <= MOST_HELD


def test_a_stubborn_locker_is_ended_by_the_denial_rate(client):
    source = MILLION_LOCKS.replace("COMMAND", "F_SETLK").replace("refused < 100", "1")
    outcome = client.execute(compile_c(source), "native", limits={**SMALL, "cpu_time_ms": 60_000})
    ends = {("SYSCALL_VIOLATION", "denial_rate")}
    if TIME_SCALE > 1:
        ends.add(("CPU_TIME_LIMIT", "cpu_time_ms"))  # a machine too slow for the rate
    assert (outcome.verdict(), outcome.result.limit.name) in ends


def test_locks_that_are_given_back_cost_nothing(client):
    outcome = client.execute(compile_c(UNLOCKED_AGAIN), "native", limits=SMALL)
    assert outcome.stdout == b"done\n"
    assert outcome.denials() == {}


@pytest.mark.slow
def test_sqlite_locks_and_unlocks_as_often_as_it_likes(client):
    source = """
import sqlite3
db = sqlite3.connect("/box/x.db", isolation_level=None)
db.execute("create table t(a integer primary key, b text)")
for i in range(2000): db.execute("insert into t(b) values(?)", (str(i),))
for i in range(8000): assert db.execute("select b from t where a = ?", (i % 2000 + 1,)).fetchall()
print("done")
"""
    outcome = client.execute(source, limits={"wall_time_ms": 60_000, "cpu_time_ms": 60_000})
    assert outcome.stdout == b"done\n", outcome.stderr
    assert outcome.denials() == {}


def test_processes_lock_each_other_out_as_usual(client):
    source = """
import fcntl, os, time
path = "/box/shared"
open(path, "w").close()
r, w = os.pipe()
if os.fork() == 0:
    with open(path, "r+") as file:
        fcntl.lockf(file, fcntl.LOCK_EX)
        os.write(w, b"x")
        time.sleep(0.2)
        open("/box/order", "a").write("child ")
    os._exit(0)
os.read(r, 1)
with open(path, "r+") as file:
    try: fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError: open("/box/order", "a").write("busy ")
    fcntl.lockf(file, fcntl.LOCK_EX)
    open("/box/order", "a").write("parent")
with open(path, "r+") as file:
    fcntl.flock(file, fcntl.LOCK_EX)
print(open("/box/order").read())
"""
    outcome = client.execute(source)
    assert outcome.stdout == b"busy child parent\n", outcome.stderr
    assert outcome.denials() == {}


def test_leases_are_refused(client):
    source = """
import errno, fcntl
with open("/box/leased", "w") as file:
    try: fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_WRLCK)
    except OSError as error: print(errno.errorcode[error.errno])
"""
    assert client.execute(source).stdout == b"EINVAL\n"


def test_locks_go_with_their_run(client):
    before = slab_locks()
    if before is None:
        pytest.skip("this kernel keeps locks in a slab with other things")
    for _ in range(3):
        client.execute(compile_c(MILLION_LOCKS.replace("COMMAND", "F_SETLK")), "native", limits=SMALL)
    assert slab_locks() - before < MOST_HELD


def test_nothing_is_flushed_and_nothing_read_past_the_cache(client):
    source = """
import errno, mmap, os
python = os.open("/usr/bin/python3", os.O_RDONLY)
os.fsync(python); os.fdatasync(python); os.posix_fadvise(python, 0, 0, os.POSIX_FADV_DONTNEED)
mine = os.open("/box/mine", os.O_RDWR | os.O_CREAT)
os.write(mine, b"x" * 4096); os.fsync(mine)
with mmap.mmap(mine, 4096) as mapping: mapping[0:1] = b"y"; mapping.flush()
for path in ("/usr/bin/python3", "/box/mine"):
    try: os.open(path, os.O_RDONLY | os.O_DIRECT); print("opened")
    except OSError as error: print(errno.errorcode[error.errno])
print(os.pread(mine, 2, 0))
"""
    outcome = client.execute(source)
    assert outcome.stdout == b"EINVAL\nEINVAL\nb'yx'\n", outcome.stderr
    assert outcome.denials() == {}
