"""FSX-07: the interpreter is the host's own file."""

import os

from payload import attempt

attempt("own", lambda: os.open("/proc/self/exe", os.O_WRONLY))
attempt("own_truncated", lambda: os.truncate("/proc/self/exe", 0))
handle = os.open("/proc/self/exe", os.O_PATH)
attempt("through_opath", lambda: os.open(f"/proc/self/fd/{handle}", os.O_RDWR))
attempt("init", lambda: os.open("/proc/1/exe", os.O_WRONLY))
attempt("loader", lambda: os.open("/lib64/ld-linux-x86-64.so.2", os.O_WRONLY))
with open("/proc/self/maps", encoding="ascii") as maps:
    first = maps.readline().split()[0]
attempt("map_files", lambda: os.open(f"/proc/self/map_files/{first}", os.O_RDWR))
