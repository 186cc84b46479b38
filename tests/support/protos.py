"""Python stubs of the public API, generated when first asked for.

    from support import protos
    api = protos.load()
    api.run.ExecuteRequest(profile="python")
"""

import atexit
import functools
import importlib
import pathlib
import shutil
import subprocess
import sys
import tempfile
import types

from support.environment import REPOSITORY

PLUGIN = "/usr/bin/grpc_python_plugin"
SOURCES = {
    REPOSITORY / "proto": ["caisson/v1/run.proto"],
    REPOSITORY / "third_party": ["google/rpc/status.proto", "google/rpc/error_details.proto"],
    pathlib.Path(__file__).parent / "proto": ["health.proto", "reflection.proto"],
}


def generate(directory):
    """Generates every stub below `directory`."""
    for root, files in SOURCES.items():
        subprocess.run(
            ["protoc", f"--proto_path={root}", f"--python_out={directory}", f"--grpc_python_out={directory}",
             f"--plugin=protoc-gen-grpc_python={PLUGIN}", *files],
            check=True)


@functools.lru_cache(maxsize=None)
def load():
    """The generated modules: run, run_grpc, status, error_details, health(_grpc), reflection(_grpc)."""
    directory = tempfile.mkdtemp(prefix="caisson-stubs-")
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    generate(directory)
    sys.path.insert(0, directory)
    # Debian's protobuf may have imported `google` already, with a search path that lacks our google/rpc.
    import google  # pylint: disable=import-outside-toplevel
    google.__path__ = [*google.__path__, f"{directory}/google"]
    names = {
        "run": "caisson.v1.run_pb2",
        "run_grpc": "caisson.v1.run_pb2_grpc",
        "status": "google.rpc.status_pb2",
        "error_details": "google.rpc.error_details_pb2",
        "health": "health_pb2",
        "health_grpc": "health_pb2_grpc",
        "reflection": "reflection_pb2",
        "reflection_grpc": "reflection_pb2_grpc",
    }
    return types.SimpleNamespace(**{name: importlib.import_module(module) for name, module in names.items()})
