"""Small images by hand: a Bash and a few programs of this host, with their libraries, as one file of root's."""

import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess

PROGRAMS = ("bash", "cat", "find", "grep", "id", "ls", "sleep", "stat", "uname")
MARK = "usr/share/in-the-image"


def libraries(program):
    """The shared libraries of a program, and its loader."""
    text = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    return set(re.findall(r"(/\S+) \(0x", text))


def small_tree(directory):
    """A directory with a /usr that is enough for the profile bash, and a file that only images have."""
    tree = pathlib.Path(directory)
    (tree / "usr" / "bin").mkdir(parents=True)
    (tree / "usr" / "share").mkdir()
    for name in PROGRAMS:
        shutil.copy(f"/usr/bin/{name}", tree / "usr" / "bin")
        for library in libraries(f"/usr/bin/{name}"):
            place = tree / os.path.realpath(library).lstrip("/")
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(library, place)
            asked_for = tree / "usr" / library.lstrip("/").removeprefix("usr/")
            asked_for.parent.mkdir(parents=True, exist_ok=True)
            if not asked_for.exists():
                asked_for.symlink_to(os.path.realpath(library))
    (tree / MARK).write_text("only here\n")
    for path in [tree, *tree.rglob("*")]:
        if not path.is_symlink():
            os.chmod(path, 0o644 if path == tree / MARK else 0o755)
    return tree


def pack(tree, image, kind="squashfs"):
    """The image's file, root's and mode 0644."""
    image = pathlib.Path(image)
    image.unlink(missing_ok=True)
    command = (["mksquashfs", tree, image, "-all-root", "-no-xattrs", "-noappend", "-quiet", "-no-progress", "-noD", "-noF"]
               if kind == "squashfs" else ["mkfs.erofs", "--all-root", "-x-1", "--quiet", image, tree])
    subprocess.run([str(word) for word in command], check=True, stdout=subprocess.DEVNULL)
    os.chmod(image, 0o644)
    return image


def digest(image):
    return "sha256:" + hashlib.sha256(pathlib.Path(image).read_bytes()).hexdigest()


def add_profile(daemon, name, image, extends="bash", **keys):
    """Adds a profile with the image as its root to a daemon that was not started yet."""
    root = keys.pop("root", None) or {"image": str(image), "digest": digest(image)}
    path = daemon.profiles_dir / f"{name}.json"
    path.write_text(json.dumps({"schema_version": 1, "name": name, "extends": extends, "root": root, **keys}))
    os.chmod(path, 0o644)
    return path
