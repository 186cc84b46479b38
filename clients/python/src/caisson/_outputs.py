"""Writes files whose paths and content a hostile program chose."""

import contextlib
import os
import pathlib
import secrets
from collections.abc import Iterable, Iterator

MAX_PATH_BYTES = 1024


def is_contained(path: str) -> bool:
    """Whether a path, followed component by component, stays below where it begins, and can be shown to people."""
    try:
        size = len(path.encode())
    except UnicodeEncodeError:
        return False
    return (0 < size <= MAX_PATH_BYTES and all(part not in ("", ".", "..") for part in path.split("/"))
            and not any(ord(char) < 0x20 or 0x7F <= ord(char) < 0xA0 for char in path))


@contextlib.contextmanager
def _opened(path: str | os.PathLike[str], flags: int, dir_fd: int | None = None) -> Iterator[int]:
    descriptor = os.open(path, flags | os.O_CLOEXEC, dir_fd=dir_fd)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _parent(root: int, components: list[str]) -> Iterator[int]:
    """The directory of a file: one component at a time and never through a link, so that nobody can lead us away."""
    with contextlib.ExitStack() as stack:
        directory = root
        for name in components:
            with contextlib.suppress(FileExistsError):
                os.mkdir(name, dir_fd=directory)
            directory = stack.enter_context(_opened(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, directory))
        yield directory


def _write(directory: int, name: str, content: bytes, executable: bool, overwrite: bool) -> None:
    temporary = f".caisson-{secrets.token_hex(8)}"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC,
                         0o777 if executable else 0o666, dir_fd=directory)
    try:
        with open(descriptor, "wb") as file:
            file.write(content)
        if overwrite:
            os.replace(temporary, name, src_dir_fd=directory, dst_dir_fd=directory)
        else:
            os.link(temporary, name, src_dir_fd=directory, dst_dir_fd=directory, follow_symlinks=False)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary, dir_fd=directory)


def save(files: Iterable[tuple[str, bytes, bool]], directory: str | os.PathLike[str], overwrite: bool) -> list[pathlib.Path]:
    """Writes (path, content, executable) below `directory`. Result.save_to has the contract."""
    files = list(files)
    for path, _, _ in files:
        if not is_contained(path):
            raise ValueError(f"{path!r} leads out of the directory it is to be written to")
    with contextlib.suppress(FileExistsError):
        os.mkdir(directory)
    written = []
    with _opened(directory, os.O_RDONLY | os.O_DIRECTORY) as root:
        for path, content, executable in files:
            *parents, name = path.split("/")
            target = pathlib.Path(directory, path)
            try:
                with _parent(root, parents) as parent:
                    _write(parent, name, content, executable, overwrite)
            except OSError as error:
                raise type(error)(error.errno, error.strerror, str(target)) from error
            written.append(target)
    return written
