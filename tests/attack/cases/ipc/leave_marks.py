"""IPC-01: a mark in every directory."""

import os

from payload import attempt

PLACES = {"box": "/box", "tmp": "/tmp", "var_tmp": "/var/tmp", "shm": "/dev/shm", "run": "/run", "home": "/home"}


def mark(directory):
    with open(f"{directory}/caisson-attack-mark", "w", encoding="ascii") as file:
        file.write("I was here")
    os.chmod(f"{directory}/caisson-attack-mark", 0o777)


for name, directory in PLACES.items():
    attempt(name, lambda d=directory: mark(d))
