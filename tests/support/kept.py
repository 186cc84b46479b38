"""What tests make of sources (programs, stubs): kept by content, so that it is made once for every process and every day.

It lies beside the programs, so that `make clean` removes it, and never has to be emptied.
"""

import hashlib
import os
import pathlib
import tempfile

from support.environment import BIN_DIR

KEPT = BIN_DIR.parent / "kept-by-tests"


def kept(parts, make):
    """The path of the file or directory that make(path) makes. `parts`: the strings and bytes that it depends on, all of them."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.encode() if isinstance(part, str) else part)
        digest.update(b"\0")
    path = KEPT / digest.hexdigest()
    if not path.exists():
        KEPT.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="new-", dir=KEPT) as directory:
            made = pathlib.Path(directory, "made")
            make(made)
            try:
                os.rename(made, path)
            except OSError:  # A directory that another process has put there meanwhile: the same.
                if not path.is_dir():
                    raise
    return path
