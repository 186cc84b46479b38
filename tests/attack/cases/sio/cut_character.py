"""SIO-04: characters of three bytes; the limit is no multiple of three."""

import os

os.write(1, "€".encode() * 1000)
