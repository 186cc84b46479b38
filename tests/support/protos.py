"""Python stubs of the public API, generated when first asked for, and kept.

    from support import protos
    api = protos.load()
    api.run.ExecuteRequest(profile="python")
"""

import functools
import importlib
import os
import pathlib
import subprocess
import sys
import types

from support.environment import REPOSITORY
from support.kept import kept

PROTOC = "/usr/bin/protoc"
PLUGIN = "/usr/bin/grpc_python_plugin"
SOURCES = {
    REPOSITORY / "proto": ["caisson/v1/run.proto", "caisson/admin/v1/admin.proto"],
    REPOSITORY / "third_party": ["google/rpc/status.proto", "google/rpc/error_details.proto"],
    pathlib.Path(__file__).parent / "proto": ["health.proto", "reflection.proto"],
}


def generate(directory):
    """Generates every stub below `directory`."""
    directory.mkdir()
    for root, files in SOURCES.items():
        subprocess.run(
            [PROTOC, f"--proto_path={root}", f"--python_out={directory}", f"--grpc_python_out={directory}",
             f"--plugin=protoc-gen-grpc_python={PLUGIN}", *files],
            check=True)


def dependencies():
    """What the stubs depend on: the sources, and the versions of what makes them."""
    sources = [(root / file).read_bytes() for root, files in SOURCES.items() for file in files]
    return [*sources, *(f"{path} {int(os.stat(path).st_mtime)}" for path in (PROTOC, PLUGIN))]


@functools.lru_cache(maxsize=None)
def load():
    """The generated modules: run, run_grpc, admin, admin_grpc, status, error_details, health(_grpc), reflection(_grpc)."""
    directory = str(kept(dependencies(), generate))
    sys.path.insert(0, directory)
    # Debian's protobuf may have imported `google` already, with a search path that lacks our google/rpc.
    import google  # pylint: disable=import-outside-toplevel
    google.__path__ = [*google.__path__, f"{directory}/google"]
    names = {
        "run": "caisson.v1.run_pb2",
        "run_grpc": "caisson.v1.run_pb2_grpc",
        "admin": "caisson.admin.v1.admin_pb2",
        "admin_grpc": "caisson.admin.v1.admin_pb2_grpc",
        "status": "google.rpc.status_pb2",
        "error_details": "google.rpc.error_details_pb2",
        "health": "health_pb2",
        "health_grpc": "health_pb2_grpc",
        "reflection": "reflection_pb2",
        "reflection_grpc": "reflection_pb2_grpc",
    }
    return types.SimpleNamespace(**{name: importlib.import_module(module) for name, module in names.items()})
