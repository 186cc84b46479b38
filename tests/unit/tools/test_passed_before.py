"""tools/passed_before.py: a part of the tests is left out only while nothing that it depends on has changed."""

import pathlib
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "tools"))

import passed_before  # noqa: E402 pylint: disable=wrong-import-position

FILES = {"src/main.cc": "int main() {}", "tests/languages/test_hello.py": "hello", "tests/gateway/test_http.py": "http",
         "tests/support/cli.py": "cli", ".gitignore": "/build/\n"}


@pytest.fixture
def repository(tmp_path):
    """A small one, in which everything has passed."""
    for name, text in {**FILES, "build/bin/caissond": "program", "build/playground/index.html": "page"}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    subprocess.run(["git", "add", "-A"], cwd=tmp_path, check=True)
    assert passed_before.begin(tmp_path) == []
    passed_before.passed(passed_before.PARTS, tmp_path)
    return tmp_path


def test_nothing_runs_again_when_nothing_changed(repository):
    assert passed_before.begin(repository) == list(passed_before.PARTS)


@pytest.mark.parametrize("name", ["src/main.cc", "tests/support/cli.py", "build/bin/caissond", "build/playground/index.html", "new.txt",
                                  "tests/integration/test_new.py"])
def test_a_changed_file_has_every_part_run(repository, name):
    (repository / name).parent.mkdir(parents=True, exist_ok=True)
    (repository / name).write_text("changed")
    assert passed_before.begin(repository) == []


def test_a_removed_file_has_every_part_run(repository):
    (repository / "src/main.cc").unlink()
    assert passed_before.begin(repository) == []


def test_a_changed_test_has_its_own_part_run(repository):
    (repository / "tests/gateway/test_http.py").write_text("changed")
    assert passed_before.begin(repository) == [part for part in passed_before.PARTS if part != "gateway"]


def test_a_part_that_did_not_pass_runs_again(repository):
    (repository / "src/main.cc").write_text("changed")
    assert passed_before.begin(repository) == []
    passed_before.passed(["languages"], repository)
    assert passed_before.begin(repository) == ["languages"]


def test_what_changes_while_the_tests_run_has_them_run_again(repository):
    (repository / "src/main.cc").write_text("changed")
    assert passed_before.begin(repository) == []
    (repository / "src/main.cc").write_text("changed again")
    passed_before.passed(passed_before.PARTS, repository)
    assert passed_before.begin(repository) == []


def test_a_variable_of_ours_counts(repository, monkeypatch):
    monkeypatch.setenv("CAISSON_REQUIRE_PRIVILEGED", "perhaps")
    assert passed_before.begin(repository) == []


def test_another_kernel_or_package_counts(repository, monkeypatch):
    monkeypatch.setattr(passed_before, "host", lambda: iter([b"another"]))
    assert passed_before.begin(repository) == []
