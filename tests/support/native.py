"""C payloads for the profile `native`."""

import functools
import pathlib
import subprocess
import tempfile


@functools.lru_cache(maxsize=None)
def compile_c(source):
    """A statically linked ELF of `source`, as bytes."""
    with tempfile.TemporaryDirectory(prefix="caisson-native-") as directory:
        source_file = pathlib.Path(directory, "main.c")
        source_file.write_text(source)
        program = pathlib.Path(directory, "main")
        subprocess.run(["cc", "-static", "-O1", "-Wall", "-D_GNU_SOURCE", "-pthread", "-o", program, source_file], check=True)
        return program.read_bytes()
