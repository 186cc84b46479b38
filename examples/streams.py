"""Reads its standard input, then writes to both streams for three seconds, and exits 3."""

import sys
import time

received = sys.stdin.read().strip()
print(f"stdin said: {received or '(nothing)'}", flush=True)
for second in range(1, 4):
    time.sleep(1)
    print(f"second {second}", flush=True)
    print(f"and a word on stderr, {second}", file=sys.stderr, flush=True)
sys.exit(3)
