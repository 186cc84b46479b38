"""Images that keep caissond from starting: not what the profile says, not root's alone, or holding what no image may hold."""

import os
import pathlib
import shutil
import subprocess
import tempfile

import pytest

from support import images
from support.daemon import Daemon, DaemonFailed
from support.environment import CAISSON, CAISSOND

# Images are packed of the host's own programs, by its tools.
pytestmark = pytest.mark.host


@pytest.fixture(scope="module")
def place(privileged):  # pylint: disable=unused-argument
    """A directory of root's with a small tree and an image of it."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix="caisson-test-images-", dir="/var/tmp"))
    os.chmod(directory, 0o755)
    images.small_tree(directory / "tree")
    images.pack(directory / "tree", directory / "bash.squashfs")
    yield directory
    shutil.rmtree(directory)


@pytest.fixture
def lone_image(place):
    directory = pathlib.Path(tempfile.mkdtemp(prefix="caisson-test-image-", dir="/var/tmp"))
    os.chmod(directory, 0o755)
    yield pathlib.Path(shutil.copy(place / "bash.squashfs", directory / "image"))
    shutil.rmtree(directory)


# What keeps caissond from starting: (name, what is done to the image, what is said of it)
REFUSED = {
    "another digest": (lambda image: image.write_bytes(image.read_bytes()[:-1] + b"x"), "root.digest: {image} is sha256:"),
    "cut off": (lambda image: os.truncate(image, 4096), "root.digest: {image} is sha256:"),
    "others may write it": (lambda image: os.chmod(image, 0o646), "root.image: {image}:1: file: mode 0646 lets others write"),
    "somebody else's": (lambda image: os.chown(image, 1234, 0), "root.image: {image}:1: file: belongs to uid 1234"),
    "a link": (lambda image: (image.rename(f"{image}.real"), image.symlink_to(f"{image}.real")),
               "root.image: {image}:1: file: is a symbolic link"),
    "missing": (lambda image: image.unlink(), "root.image: open {image}: No such file"),
    "in others' directory": (lambda image: os.chmod(image.parent, 0o777), "root.image: {directory}:1: directory: mode 0777"),
}


def refusal(image, root=None):
    """What caissond says instead of starting, and what --check-config says of the same."""
    own = Daemon(profiles=["bash"])
    try:
        own.write_files()
        images.add_profile(own, "bash-image", image, root=root)
        with pytest.raises(DaemonFailed) as failed:
            own.start()
        assert failed.value.code not in (0, None)
        checked = subprocess.run([CAISSOND, "--check-config", "--config", own.config_file], capture_output=True, text=True, check=False)
        return "".join(failed.value.log), checked, own.profiles_dir / "bash-image.json"
    finally:
        own.remove_files()


@pytest.mark.parametrize("name", REFUSED)
def test_it_does_not_start_with_an_image_that_is(lone_image, name):
    spoil, says = REFUSED[name]
    root = {"image": str(lone_image), "digest": images.digest(lone_image)}
    spoil(lone_image)
    log, checked, profile = refusal(lone_image, root)
    expected = f"{profile}:1: " + says.format(image=lone_image, directory=lone_image.parent)
    assert expected in log
    assert checked.returncode == 1 and expected in checked.stdout + checked.stderr


def test_it_does_not_start_while_somebody_has_the_image_open_for_writing(lone_image):
    with open(lone_image, "r+b"):
        log, checked, _ = refusal(lone_image)
    assert "nobody may have it open for writing" in log
    assert checked.returncode == 1


# What an image must not hold: (what is put into the tree, what is said)
UNWELCOME = {
    "set-user-id": (lambda tree: os.chmod(tree / "usr/bin/id", 0o4755), "/usr/bin/id, which is set-user-id"),
    "set-group-id": (lambda tree: os.chmod(tree / "usr/bin/id", 0o2755), "/usr/bin/id, which is set-user-id"),
    "device": (lambda tree: os.mknod(tree / "usr/disk", 0o60666, os.makedev(7, 0)), "/usr/disk, which is no file"),
    "fifo": (lambda tree: os.mkfifo(tree / "usr/fifo"), "/usr/fifo, which is no file"),
    "closed": (lambda tree: os.chmod(tree, 0o700), "the directory at its top is closed to others than root"),
}


@pytest.mark.parametrize("name", UNWELCOME)
def test_it_does_not_start_with_an_image_that_holds(lone_image, place, name):
    put, says = UNWELCOME[name]
    tree = lone_image.parent / "tree"
    shutil.copytree(place / "tree", tree, symlinks=True)
    put(tree)
    images.pack(tree, lone_image)
    log, _, profile = refusal(lone_image)
    assert f"{profile}:1: root.image: {lone_image}: " in log and says in log


def test_it_does_not_start_with_something_that_only_begins_like_an_image(lone_image):
    lone_image.write_bytes(b"hsqs" + bytes(8192))
    log, _, profile = refusal(lone_image)
    assert f"{profile}:1: root.image: {lone_image}: mount it as squashfs" in log


def test_lint_and_explain_know_the_image(lone_image):
    own = Daemon(profiles=["bash"])
    try:
        own.write_files()
        images.add_profile(own, "bash-image", lone_image)
        command = [CAISSON, "profile"]
        explained = subprocess.run([*command, "explain", "bash-image", "--profiles", own.profiles_dir], capture_output=True, text=True,
                                   check=True).stdout
        assert f"root: the image {lone_image}, {images.digest(lone_image)}\n" in explained
        assert "    /usr                      the image's own, executable" in explained
        lint = [*command, "lint", "bash-image", "--profiles", own.profiles_dir]
        done = subprocess.run(lint, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (0, "1 profile, 0 findings\n")
        os.truncate(lone_image, 4096)
        done = subprocess.run(lint, capture_output=True, text=True, check=False)
        assert done.returncode == 1 and f"root.digest: {lone_image} is sha256:" in done.stdout
    finally:
        own.remove_files()


def test_install_does_not_pretend_to_change_an_image(lone_image):
    own = Daemon(profiles=["bash"])
    try:
        own.write_files()
        images.add_profile(own, "bash-image", lone_image)
        done = subprocess.run([CAISSON, "profile", "install", "bash-image", "--profiles", own.profiles_dir], capture_output=True, text=True,
                              check=False)
        assert done.returncode == 125 and "is an image" in done.stderr
    finally:
        own.remove_files()
