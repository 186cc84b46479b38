"""C payloads for the profile `native`."""

import functools
import pathlib
import subprocess
import tempfile

from support.kept import kept

COMPILE = ["cc", "-static", "-O1", "-Wall", "-D_GNU_SOURCE", "-pthread"]


@functools.lru_cache(maxsize=None)
def compile_c(source):
    """A statically linked ELF of `source`, as bytes."""
    def compiled(program):
        with tempfile.TemporaryDirectory(prefix="caisson-native-") as directory:
            source_file = pathlib.Path(directory, "main.c")
            source_file.write_text(source)
            subprocess.run([*COMPILE, "-o", program, source_file], check=True)

    return kept([source, " ".join(COMPILE)], compiled).read_bytes()
