"""The Python client as a package: its README's examples, its wheel in a clean environment, its source distribution."""

import ast
import importlib.metadata
import inspect
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib

import pytest

from support import python_client
from support.document import Reader
from support.environment import REPOSITORY

CLIENT = REPOSITORY / "clients/python"


def test_every_example_of_the_readme_prints_what_it_says(caisson, make_daemon, tmp_path, monkeypatch):
    assert caisson
    daemon = make_daemon(profiles=["python", "bash", "c"])
    monkeypatch.setenv("CAISSON_ADDRESS", daemon.address)
    assert Reader(daemon, tmp_path).read((CLIENT / "README.md").read_text()) >= 9


def test_the_front_page_prints_what_it_says(caisson, daemon, monkeypatch, capsys):
    assert caisson
    monkeypatch.setenv("CAISSON_ADDRESS", daemon.address)
    blocks = re.findall(r"^```(?:python)?\n(.*?)^```$", (REPOSITORY / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    (number,) = [number for number, block in enumerate(blocks) if "from caisson import" in block]
    exec(blocks[number], {})  # pylint: disable=exec-used
    assert capsys.readouterr().out.strip() == blocks[number + 1].strip()


def test_the_readme_names_every_exception(caisson):
    readme = (CLIENT / "README.md").read_text()
    public = [getattr(caisson, name) for name in caisson.__all__]
    exceptions = [kind.__name__ for kind in public if inspect.isclass(kind) and issubclass(kind, caisson.CaissonError)]
    assert len(exceptions) > 15 and not [name for name in exceptions if f"`{name}`" not in readme]


def test_the_wheel_works_in_a_clean_environment(daemon, tmp_path):
    """With nothing of ours but the wheel; grpcio and protobuf are Debian's, so that no index is needed."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", "--system-site-packages", tmp_path / "venv"], check=True)
    python = tmp_path / "venv/bin/python"
    subprocess.run([sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-index", "--disable-pip-version-check",
                    python_client.wheel()], check=True, stdin=subprocess.DEVNULL)
    program = "import caisson, sys\nwith caisson.Caisson() as c: print(c.run('python', 'print(6 * 7)').stdout_text, caisson.__file__)"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run([python, "-c", program], cwd=tmp_path, env={**environment, "CAISSON_ADDRESS": daemon.address}, text=True,
                          capture_output=True, check=True)
    answer, where = done.stdout.split()
    assert answer == "42" and pathlib.Path(where).is_relative_to(tmp_path / "venv")


def test_the_wheel_says_what_it_needs_and_is_typed(caisson):
    (metadata,) = importlib.metadata.distributions(path=[str(python_client.unpacked())])
    project = tomllib.loads((CLIENT / "pyproject.toml").read_text())["project"]
    assert (metadata.name, metadata.version) == ("caisson", project["version"])
    assert [re.match(r"\w+", requirement)[0] for requirement in metadata.requires] == ["grpcio", "protobuf"]
    assert metadata.metadata["Description-Content-Type"] == "text/markdown"
    assert (pathlib.Path(caisson.__file__).parent / "py.typed").exists()
    assert metadata.read_text("LICENSE") == (REPOSITORY / "LICENSE").read_text()
    version = next(line for line in (REPOSITORY / "CMakeLists.txt").read_text().splitlines() if line.startswith("project("))
    assert f"VERSION {project['version']} " in version


def test_a_source_distribution_builds_without_the_repository(tmp_path):
    shutil.copytree(CLIENT, tmp_path / "a/clients/python", ignore=python_client.LEFT_BY_BUILDS)
    for folder in ("proto", "third_party"):
        (tmp_path / "a" / folder).symlink_to(REPOSITORY / folder)

    def quietly(*command, cwd):
        subprocess.run([sys.executable, "setup.py", "-q", *command], cwd=cwd, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    quietly("sdist", "-d", tmp_path, cwd=tmp_path / "a/clients/python")
    with tarfile.open(next(tmp_path.glob("*.tar.gz"))) as archive:
        archive.extractall(tmp_path / "b")  # our own archive
    (source,) = (tmp_path / "b").iterdir()
    quietly("build", "-b", tmp_path / "built", cwd=source)
    assert (tmp_path / "built/lib/caisson/v1/run_pb2.py").exists() and (tmp_path / "built/lib/caisson/refusal/error_details_pb2.py").exists()


def functions(tree):
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node


@pytest.mark.parametrize("path", sorted((CLIENT / "src/caisson").glob("*.py")), ids=lambda path: path.name)
def test_everything_is_annotated_and_what_is_public_is_documented(path):
    tree = ast.parse(path.read_text())
    assert ast.get_docstring(tree)
    for function in functions(tree):
        where = f"{path.name}:{function.lineno} {function.name}"
        assert function.returns is not None, where
        arguments = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
        assert all(argument.annotation is not None or argument.arg in ("self", "_") for argument in arguments), where
    for node in tree.body:
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{path.name}: {node.name}"
        for method in node.body if isinstance(node, ast.ClassDef) else ():
            if isinstance(method, (ast.FunctionDef, ast.AsyncFunctionDef)) and not method.name.startswith("_"):
                assert node.name.startswith("_") or ast.get_docstring(method), f"{path.name}: {node.name}.{method.name}"


def calls(kind):
    """{name: parameters as text} of every public method."""
    return {name: [str(parameter) for parameter in inspect.signature(method).parameters.values()]
            for name, method in inspect.getmembers(kind, callable) if not name.startswith("_")}


def test_both_clients_have_the_same_calls(caisson):
    for name in ("Caisson", "RunStream", "Session"):
        assert calls(getattr(caisson, name)) == calls(getattr(caisson, f"Async{name}"))
    assert {"run", "stream", "interact", "ps", "get", "cancel", "profiles", "server_info"} <= calls(caisson.Caisson).keys()
