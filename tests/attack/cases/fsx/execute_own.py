"""FSX-25: /box, /tmp and /dev/shm are not executable in the profile python."""

import mmap
import os
import shutil
import subprocess

from payload import attempt, libc, raw, say

LOADER = "/lib64/ld-linux-x86-64.so.2"


def copy_to(path):
    shutil.copyfile("/usr/bin/true", path)
    os.chmod(path, 0o755)
    return path


def run(path):
    subprocess.run([path], check=True)


attempt("direct", lambda: run(copy_to("/box/true")))
done = subprocess.run([LOADER, "/box/true"], capture_output=True, text=True)
say("through_loader", "ok" if done.returncode == 0 else "EPERM" if "not permitted" in done.stderr else "EACCES")
descriptor = os.open("/box/true", os.O_RDONLY)
attempt("mapped", lambda: mmap.mmap(descriptor, 4096, mmap.MAP_PRIVATE, mmap.PROT_READ | mmap.PROT_EXEC))


def protect():
    libc.mmap.restype = libc.mmap.argtypes = None
    libc.mmap.restype = __import__("ctypes").c_void_p
    c = __import__("ctypes")
    address = libc.mmap(None, c.c_size_t(4096), 1, 2, descriptor, c.c_long(0))
    raw(10, address, 4096, 5)


attempt("protected", protect)
attempt("tmp", lambda: run(copy_to("/tmp/true")))
attempt("shm", lambda: run(copy_to("/dev/shm/true")))
with open("/box/script", "w", encoding="ascii") as script:
    script.write("#!/bin/sh\necho got through\n")
os.chmod("/box/script", 0o755)
attempt("script", lambda: run("/box/script"))
attempt("memfd", lambda: os.memfd_create("attack"))
