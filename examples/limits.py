"""Asks for what it may not have. Give it one word: memory, time, output, network or disk."""

import socket
import sys

wish = sys.argv[1] if len(sys.argv) > 1 else "memory"
if wish == "memory":
    held = []
    while True:
        held.append(b"x" * 1_000_000)
elif wish == "time":
    while True:
        pass
elif wish == "output":
    while True:
        print("y" * 1000)
elif wish == "network":
    socket.create_connection(("192.0.2.1", 80))
elif wish == "disk":
    with open("/box/big", "wb") as big:
        while True:
            big.write(b"x" * 1_000_000)
else:
    sys.exit(f"limits.py: unknown wish {wish}")
