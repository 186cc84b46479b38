"""Result.save_to(): files whose paths and content a hostile program chose are written below a directory and nowhere else."""

import os
import stat

import pytest

from support import protos


def result(caisson, *files):
    """A Result with (path, content, executable) as its outputs."""
    from caisson import _convert  # pylint: disable=import-outside-toplevel
    outputs = tuple(caisson.OutputFile(path=path, content=content, executable=executable) for path, content, executable in files)
    return _convert.result(_convert.run_result(protos.load().run.RunResult()), name="runs/1", stdout=b"", stderr=b"", outputs=outputs)


def tree(directory):
    return sorted(str(path.relative_to(directory)) for path in directory.rglob("*"))


def test_files_are_written_with_their_directories_and_modes(caisson, tmp_path):
    target = tmp_path / "out"
    written = result(caisson, ("a/b/data.bin", b"\x00\xff", False), ("tool", b"#!/bin/sh\n", True), ("empty", b"", False)).save_to(target)
    assert written == [target / "a/b/data.bin", target / "tool", target / "empty"]
    assert tree(target) == ["a", "a/b", "a/b/data.bin", "empty", "tool"]
    assert (target / "a/b/data.bin").read_bytes() == b"\x00\xff"
    assert stat.S_IMODE((target / "tool").stat().st_mode) & 0o111 and not (target / "empty").stat().st_mode & 0o111


@pytest.mark.parametrize("path", ["../x", "a/../../x", "/etc/x", "a//b", "./x", "a/.", "", "a\nb", "x\x1b[2J", "a" * 1025, "\udc80"])
def test_a_path_that_leads_elsewhere_is_refused_before_anything_is_written(caisson, tmp_path, path):
    with pytest.raises(ValueError, match="leads out"):
        result(caisson, ("good", b"1", False), (path, b"2", False)).save_to(tmp_path / "out")
    assert not tree(tmp_path)


def test_nothing_is_overwritten_unless_told(caisson, tmp_path):
    (tmp_path / "x").write_text("mine")
    files = result(caisson, ("x", b"theirs", False))
    with pytest.raises(FileExistsError) as error:
        files.save_to(tmp_path)
    assert error.value.filename == str(tmp_path / "x") and (tmp_path / "x").read_text() == "mine"
    files.save_to(tmp_path, overwrite=True)
    assert (tmp_path / "x").read_text() == "theirs" and tree(tmp_path) == ["x"]


def test_a_link_is_neither_followed_nor_written_through(caisson, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("mine")
    target = tmp_path / "out"
    target.mkdir()
    (target / "folder").symlink_to(outside)
    (target / "file").symlink_to(outside / "secret")
    (target / "dangling").symlink_to(outside / "new")
    for overwrite in (False, True):
        with pytest.raises(NotADirectoryError):
            result(caisson, ("folder/x", b"2", False)).save_to(target, overwrite=overwrite)
    for name in ("file", "dangling"):
        with pytest.raises(FileExistsError):
            result(caisson, (name, b"2", False)).save_to(target)
        result(caisson, (name, b"2", False)).save_to(target, overwrite=True)
        assert not (target / name).is_symlink() and (target / name).read_text() == "2"
    assert tree(outside) == ["secret"] and (outside / "secret").read_text() == "mine"


def test_a_directory_is_never_replaced(caisson, tmp_path):
    (tmp_path / "x").mkdir()
    with pytest.raises(IsADirectoryError):
        result(caisson, ("x", b"1", False)).save_to(tmp_path, overwrite=True)
    with pytest.raises(FileExistsError):
        result(caisson, ("x", b"1", False)).save_to(tmp_path)
    assert tree(tmp_path) == ["x"]


def test_a_file_in_the_way_of_a_directory_is_an_error(caisson, tmp_path):
    (tmp_path / "a").write_text("")
    with pytest.raises(NotADirectoryError):
        result(caisson, ("a/b", b"1", False)).save_to(tmp_path)
    with pytest.raises(FileNotFoundError):
        result(caisson, ("b", b"1", False)).save_to(tmp_path / "no" / "such")


def test_a_failed_write_leaves_no_part_behind(caisson, tmp_path, monkeypatch):
    def fail(*_args, **_kwargs):
        raise OSError(28, "No space left on device")
    monkeypatch.setattr(os, "link", fail)
    with pytest.raises(OSError, match="No space"):
        result(caisson, ("x", b"1", False)).save_to(tmp_path)
    assert not tree(tmp_path)


def test_an_output_is_found_by_its_path(caisson):
    files = result(caisson, ("a", "grün".encode() + b"\xff", False))
    assert files.output("a").text == "grün\ufffd"
    with pytest.raises(KeyError):
        files.output("b")


def test_check_raises_for_what_is_not_ok(caisson):
    failed = result(caisson)
    with pytest.raises(caisson.RunFailed) as error:
        failed.check()
    assert error.value.result is failed and str(error.value) == "UNKNOWN"
