"""Generates the API's messages (caisson.v1, caisson.refusal) from the repository's .proto files; pyproject.toml has the rest.

By grpcio-tools where Python has it, else by protoc and grpc_python_plugin, as Debian packages them.
"""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

from setuptools import setup
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

HERE = pathlib.Path(__file__).resolve().parent
API = "caisson/v1/run.proto"
REFUSAL = ("google/rpc/status.proto", "google/rpc/error_details.proto")
GRPCIO, PROTOBUF = "1.51.1", "4.21.0"  # the least that the code of this package and of Debian's generators runs with


def source(path):
    """The .proto file: from the repository, or from the copy that a source distribution has."""
    for folder in (HERE / "protos", HERE.parents[1] / "proto", HERE.parents[1] / "third_party"):
        if (folder / path).is_file():
            return (folder / path).read_text(encoding="utf-8")
    raise FileNotFoundError(f"{path}: neither in the repository around {HERE} nor in {HERE / 'protos'}")


def gather(directory):
    """Puts what is to be compiled below `directory`, and returns the names.

    google/rpc goes under a name of our own: the same file registered twice, by us and by googleapis-common-protos in
    another version, would keep the process of whoever has both from starting.
    """
    names = [API]
    texts = {API: source(API)}
    for path in REFUSAL:
        name = f"caisson/refusal/{pathlib.Path(path).name}"
        names.append(name)
        texts[name], count = re.subn(r"^package google\.rpc;", "package caisson.refusal;", source(path), flags=re.MULTILINE)
        if count != 1:
            raise ValueError(f"{path} is not of the package google.rpc")
    for name, text in texts.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(text, encoding="utf-8")
    return names


def compiler():
    """(command, arguments) of a protoc with the gRPC plugin."""
    try:
        import grpc_tools  # pylint: disable=import-outside-toplevel
        include = pathlib.Path(grpc_tools.__file__).parent / "_proto"
        return [sys.executable, "-m", "grpc_tools.protoc"], [f"--proto_path={include}"]
    except ImportError:
        plugin = shutil.which("grpc_python_plugin")
        if shutil.which("protoc") is None or plugin is None:
            raise SystemExit("caisson: to build it, install grpcio-tools from PyPI, or Debian's protobuf-compiler and "
                             "protobuf-compiler-grpc") from None
        return ["protoc"], [f"--plugin=protoc-gen-grpc_python={plugin}"]


def generate(target):
    """Makes the packages caisson.v1 and caisson.refusal below `target`."""
    with tempfile.TemporaryDirectory() as temporary:
        directory = pathlib.Path(temporary)
        names = gather(directory)
        command, arguments = compiler()
        target.mkdir(parents=True, exist_ok=True)
        subprocess.run([*command, f"--proto_path={directory}", *arguments, f"--python_out={target}", f"--pyi_out={target}",
                        f"--grpc_python_out={target}", *names], check=True)
    for package, what in (("v1", "The API's messages and stubs, as protoc makes them."),
                          ("refusal", "google.rpc's error details, as protoc makes them.")):
        (target / "caisson" / package / "__init__.py").write_text(f'"""{what}"""\n', encoding="utf-8")
    for unused in (target / "caisson" / "refusal").glob("*_grpc.py"):  # they have no service
        unused.unlink()


def needed_versions():
    """(grpcio, protobuf): what the generated code asks for; newer generators write it down."""
    with tempfile.TemporaryDirectory() as temporary:
        generate(pathlib.Path(temporary))
        folder = pathlib.Path(temporary, "caisson", "v1")
        grpcio = re.search(r"^GRPC_GENERATED_VERSION = '([\d.]+)'", (folder / "run_pb2_grpc.py").read_text(encoding="utf-8"), re.MULTILINE)
        protobuf = re.search(r"^# Protobuf Python Version: ([\d.]+)$", (folder / "run_pb2.py").read_text(encoding="utf-8"), re.MULTILINE)
    # Protobuf's generators wrote a version from 4.25 on, and ask for it from 5.26 on.
    asks = protobuf is not None and int(protobuf[1].split(".")[0]) >= 5
    return grpcio[1] if grpcio else GRPCIO, protobuf[1] if asks else PROTOBUF


class BuildWithMessages(build_py):
    """build_py, and the generated packages: into the wheel; for an editable install into src/."""

    def run(self):
        super().run()
        generate(HERE / "src" if self.editable_mode else pathlib.Path(self.build_lib))


class SdistWithProtos(sdist):
    """sdist, with the .proto files that lie elsewhere in the repository."""

    def make_release_tree(self, base_dir, files):
        super().make_release_tree(base_dir, files)
        for path in (API, *REFUSAL):
            target = pathlib.Path(base_dir, "protos", path)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(source(path), encoding="utf-8")


if __name__ == "__main__":
    NEEDED_GRPCIO, NEEDED_PROTOBUF = needed_versions()
    setup(
        install_requires=[f"grpcio>={NEEDED_GRPCIO}", f"protobuf>={NEEDED_PROTOBUF}"],
        cmdclass={"build_py": BuildWithMessages, "sdist": SdistWithProtos},
    )
