"""IPC-01: whatever is in a directory and was not sent with the request."""

import os

from payload import say

PLACES = {"box": "/box", "tmp": "/tmp", "var_tmp": "/var/tmp", "shm": "/dev/shm", "run": "/run", "home": "/home"}
OWN = {"main.py", "payload.py"}

for name, directory in PLACES.items():
    if not os.path.isdir(directory):
        say(name, "absent")
    else:
        say(name, sorted(set(os.listdir(directory)) - OWN) or "nothing")
