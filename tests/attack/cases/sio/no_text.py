"""SIO-03: every byte value, again and again, without a line's end but where they fall."""

import os

block = bytes(range(256)) * 4096
done = 0
while done < len(block):
    done += os.write(1, block[done:])
