"""IPC-08: /dev/shm is the run's own."""

import os

from payload import ARGS, attempt, say

attempt("hosts_mark", lambda: os.open(ARGS[0], os.O_RDONLY))
say("listed", os.listdir("/dev/shm") or "nothing")
attempt("made", lambda: os.open(ARGS[0] + "-answer", os.O_CREAT | os.O_RDWR, 0o666))
