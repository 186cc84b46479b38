"""The Python client as its users install it: the wheel of clients/python, built when first asked for, and kept.

    from support import python_client
    caisson = python_client.load()
"""

import functools
import importlib
import pathlib
import shutil
import subprocess
import sys
import tempfile
import types
import zipfile

from support import protos
from support.environment import REPOSITORY
from support.kept import kept

CLIENT = REPOSITORY / "clients" / "python"
LEFT_BY_BUILDS = shutil.ignore_patterns("build", "*.egg-info", "__pycache__", "v1", "refusal")


def sources():
    """What the wheel is made of."""
    files = [path for path in sorted(CLIENT.rglob("*")) if path.is_file() and "build" not in path.parts and "__pycache__" not in path.parts
             and not any(part.endswith(".egg-info") for part in path.parts)]
    return [part for path in files for part in (str(path.relative_to(CLIENT)), path.read_bytes())]


def build(directory):
    """Builds it with Debian's packages alone: no index, no download."""
    with tempfile.TemporaryDirectory() as temporary:
        # A tree of its own, since a build leaves files behind.
        shutil.copytree(CLIENT, f"{temporary}/clients/python", ignore=LEFT_BY_BUILDS)
        for folder in ("proto", "third_party"):
            (pathlib.Path(temporary) / folder).symlink_to(REPOSITORY / folder)
        directory.mkdir()
        subprocess.run([sys.executable, "-m", "pip", "wheel", "--quiet", "--no-build-isolation", "--no-index", "--no-deps",
                        "--disable-pip-version-check", "--wheel-dir", directory, f"{temporary}/clients/python"], check=True)


@functools.lru_cache(maxsize=None)
def wheel():
    """The path of the .whl file."""
    (path,) = kept([*sources(), *protos.dependencies()], build).glob("*.whl")
    return path


@functools.lru_cache(maxsize=None)
def unpacked():
    """A directory for sys.path with the wheel's content."""
    def unpack(directory):
        with zipfile.ZipFile(wheel()) as archive:
            archive.extractall(directory)
    return kept(["unpacked", wheel().read_bytes()], unpack)


@functools.lru_cache(maxsize=None)
def load() -> types.ModuleType:
    """The package `caisson`."""
    protos.load()  # the tests' own stubs are called caisson.v1 too; whoever has them keeps them
    for name in [name for name in sys.modules if name == "caisson" or name.startswith("caisson.")]:
        del sys.modules[name]
    sys.path.insert(0, str(unpacked()))
    return importlib.import_module("caisson")
