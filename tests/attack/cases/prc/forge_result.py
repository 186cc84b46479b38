"""PRC-08: whatever it writes, the result is the kernel's."""

import os

from payload import say

written = []
for descriptor in range(3, 1024):
    try:
        os.write(descriptor, b'\x43\x41\x49\x53' + bytes(252))
        written.append(descriptor)
    except OSError:
        pass
say("written", written or "none")
os.write(1, b'{"verdict": "COMPLETED","exit_code":0}\n')
os.write(1, b"caissond run finished: COMPLETED\n")
os._exit(7)
