"""caissond --check-config: the operator's files are read as a start would read them, and nothing is started."""

import json
import os
import subprocess

import pytest

from support.daemon import Daemon, DaemonFailed
from support.environment import CAISSOND, scaled


@pytest.fixture
def files():
    """Configuration and profiles of a daemon that is never started."""
    daemon = Daemon()
    daemon.write_files()
    yield daemon
    daemon.remove_files()


def check(*arguments, **more):
    return subprocess.run([str(CAISSOND), "--check-config", *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=scaled(30), check=False, **more)


def rewrite(daemon, text):
    daemon.config_file.write_text(text)


def test_good_files_are_named_and_exit_is_0(files):
    done = check("--config", files.config_file)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert done.stdout.startswith(f"{files.config_file}: ok\n{files.profiles_dir}: ok, ")


def test_each_complaint_has_file_line_and_key(files):
    rewrite(files, '{\n  "schema_version": 1,\n  "queue_length": 0,\n  "grace_sm": 5,\n  "log_level": "loud"\n}\n')
    done = check("--config", files.config_file)
    assert done.returncode == 1
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert len(lines) == 3
    for number, key in ((3, "queue_length"), (4, "grace_sm"), (5, "log_level")):
        assert any(line.startswith(f"{files.config_file}:{number}: {key}: ") for line in lines), lines
    assert "did you mean 'grace_ms'?" in done.stderr


def test_broken_json_is_told_with_its_line(files):
    rewrite(files, '{\n  "schema_version": 1,\n}\n')
    done = check("--config", files.config_file)
    assert done.returncode == 1
    assert done.stderr.startswith(f"{files.config_file}:3: ")


def test_complaints_about_profiles_have_file_line_and_key(files):
    python = files.profiles_dir / "python.json"
    python.write_text(python.read_text().replace('"display_name"', '"displayed_name"'))
    done = check("--config", files.config_file)
    assert done.returncode == 1
    assert f"{python}:" in done.stderr
    assert "displayed_name: unknown key; did you mean 'display_name'?" in done.stderr
    assert done.stdout == f"{files.config_file}: ok\n"


def test_too_few_ids_for_the_runs_is_a_complaint(files):
    rewrite(files, json.dumps({**files.config, "max_runs": 100, "id_count": 300}))
    done = check("--config", files.config_file)
    assert done.returncode == 1
    assert f"{files.config_file}: id_count: 300 is too small, 528 ids are needed for 100 runs at once" in done.stderr


def test_file_that_others_may_write_is_a_complaint(files):
    os.chmod(files.config_file, 0o666)
    done = check("--config", files.config_file)
    assert done.returncode == 1
    assert done.stderr == f"{files.config_file}:1: file: mode 0666 lets others write; take away with chmod go-w\n"


def test_missing_file_is_a_complaint(files):
    done = check("--config", files.directory / "nothing.json")
    assert done.returncode == 1
    assert "nothing.json: No such file or directory" in done.stderr


def test_missing_toolchain_is_a_remark_and_no_complaint(files):
    python = json.loads((files.profiles_dir / "python.json").read_text())
    python["toolchain"]["probe"] = "/usr/bin/no-such-toolchain"
    (files.profiles_dir / "python.json").write_text(json.dumps(python))
    done = check("--config", files.config_file)
    assert done.returncode == 0, done.stderr
    assert "profile python is not available: package python3 is not installed (/usr/bin/no-such-toolchain is missing)" in done.stdout


def test_start_refuses_what_the_check_refuses_in_the_same_words(files):
    rewrite(files, '{"schema_version": 1, "grace_sm": 5}\n')
    complaint = check("--config", files.config_file).stderr
    with pytest.raises(DaemonFailed) as failure:
        files.start()
    assert complaint in "".join(failure.value.log)


def test_nothing_is_started_or_made(files):
    assert check("--config", files.config_file).returncode == 0
    assert sorted(path.name for path in files.directory.iterdir()) == ["caissond.json", "profiles"]


def test_no_privileges_are_needed(files, privileged):  # pylint: disable=unused-argument
    done = check("--config", files.config_file, user="nobody", group="nogroup", extra_groups=[])
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("arguments", [("--check",), ("--json",), ("--config",), ("more",)])
def test_wrong_usage_exits_with_2(arguments):
    done = check(*arguments)
    assert done.returncode == 2
    assert done.stderr.startswith("caissond: ") and done.stderr.endswith("; see caissond --help\n")
