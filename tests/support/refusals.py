"""A host that lacks something: a program is started under a kernel that refuses one system call, or that tells something
else in one of its files. What an operator's host may be like, made on any."""

import contextlib
import ctypes
import pathlib
import struct
import tempfile

LIBC = ctypes.CDLL(None, use_errno=True)
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
RET_ALLOW, RET_ERRNO = 0x7FFF0000, 0x00050000
LOAD, JUMP_EQUAL, AND, RETURN = 0x20, 0x15, 0x54, 0x06
CLONE_NEWNS, MS_BIND, MS_REC, MS_PRIVATE = 0x20000, 4096, 16384, 1 << 18


def _must(result, what):
    if result != 0:
        raise OSError(ctypes.get_errno(), what)


def _program(number, error, argument=None, mask=0xFFFFFFFF, value=None):
    """BPF: the call `number` fails with `error`, if argument & mask == value where one is given."""
    code = [(LOAD, 0, 0, 0)]
    if argument is None:
        code += [(JUMP_EQUAL, 0, 1, number)]
    else:
        code += [(JUMP_EQUAL, 0, 4, number), (LOAD, 0, 0, 16 + 8 * argument), (AND, 0, 0, mask), (JUMP_EQUAL, 0, 1, value)]
    code += [(RETURN, 0, 0, RET_ERRNO | error), (RETURN, 0, 0, RET_ALLOW)]
    return b"".join(struct.pack("HBBI", *instruction) for instruction in code), len(code)


def refusing(number, error, **condition):
    """For subprocess's preexec_fn. x86-64 numbers; _program has the conditions."""
    code, length = _program(number, error, **condition)

    def install():
        buffer = ctypes.create_string_buffer(code, len(code))
        program = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", length, ctypes.addressof(buffer)))
        _must(LIBC.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")
        _must(LIBC.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program), "seccomp")
    return install


@contextlib.contextmanager
def telling(texts):
    """{path: text}; for subprocess's preexec_fn: a mount namespace in which these files, or the one file in these directories,
    hold these texts."""
    with tempfile.TemporaryDirectory(prefix="caisson-telling-") as directory:
        sources = {}
        for index, (path, text) in enumerate(texts.items()):
            source = pathlib.Path(directory, str(index))
            if pathlib.Path(path).is_dir():
                source.mkdir()
                (source / "sample").write_text(text)
            else:
                source.write_text(text)
            sources[path] = source

        def mount():
            _must(LIBC.unshare(CLONE_NEWNS), "unshare")
            _must(LIBC.mount(None, b"/", None, MS_REC | MS_PRIVATE, None), "private")
            for path, source in sources.items():
                _must(LIBC.mount(str(source).encode(), str(path).encode(), None, MS_BIND, None), str(path))
        yield mount
