"""What every Python payload shares: lines "NAME VALUE" that the case's expectation names."""

import ctypes
import errno
import os
import signal
import sys

libc = ctypes.CDLL(None, use_errno=True)


def say(name, value):
    os.write(1, f"{name} {value}\n".encode())


def attempt(name, call, value=lambda result: "ok"):
    """Says "ok" (or what `value` makes of the result), or the name of the error."""
    try:
        result = call()
    except OSError as error:
        say(name, errno.errorcode.get(error.errno, error.errno))
    else:
        say(name, value(result))


def raw(number, *args):
    """A system call by number."""
    ctypes.set_errno(0)
    result = libc.syscall(ctypes.c_long(number), *[a if isinstance(a, (bytes, ctypes.c_void_p)) else ctypes.c_long(a) for a in args])
    if result < 0:
        raise OSError(ctypes.get_errno(), "syscall")
    return result


def wait_for_the_end():
    """Lets whoever looks from outside begin, and waits to be ended."""
    say("ready", "yes")
    while True:
        signal.pause()


ARGS = sys.argv[1:]
