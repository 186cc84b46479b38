"""Roots that are images: what a run sees, what the result says, and what keeps caissond from starting."""

import contextlib
import ctypes
import mmap
import os
import pathlib
import shutil
import subprocess
import tempfile

import pytest

from support import images, leakcheck, processes
from support.client import Client, request
from support.daemon import Daemon, DaemonFailed
from support.environment import CAISSON, scaled

# Images are packed of the host's own programs, by its tools.
pytestmark = pytest.mark.host

MOUNTINFO = 'while read -r line; do echo "$line"; done < /proc/self/mountinfo\n'
# What init mounts itself, in every sandbox.
OWN_MOUNTS = {"/", "/dev", "/box", "/tmp", "/dev/shm", "/proc"}


@pytest.fixture(scope="module")
def place(privileged):  # pylint: disable=unused-argument
    """A directory of root's with a small tree and images of it."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix="caisson-test-images-", dir="/var/tmp"))
    os.chmod(directory, 0o755)
    images.small_tree(directory / "tree")
    for kind in ("squashfs", "erofs"):
        images.pack(directory / "tree", directory / f"bash.{kind}", kind)
    yield directory
    shutil.rmtree(directory)


@pytest.fixture(scope="module")
def image_daemon(place):
    """A daemon that offers bash on the host's root and on both images, the squashfs one twice."""
    own = Daemon(profiles=["bash", "python"], ready_sandboxes=0)
    own.write_files()
    images.add_profile(own, "bash-squashfs", place / "bash.squashfs")
    images.add_profile(own, "bash-again", place / "bash.squashfs")
    images.add_profile(own, "bash-erofs", place / "bash.erofs")
    images.add_profile(own, "python-in-bash", place / "bash.squashfs", extends="python")
    with own, contextlib.closing(Client(own.address)) as client:
        for name in ("bash", "bash-squashfs"):  # what a daemon opens once and keeps
            assert run(client, "echo warm\n", name) == "warm\n"
        with leakcheck.nothing_left(own.pid):
            yield own


@pytest.fixture(scope="module")
def client(image_daemon):
    with contextlib.closing(Client(image_daemon.address)) as own:
        yield own


def run(client, script, profile="bash-squashfs"):
    outcome = client.execute(None, profile, files={"main.sh": script}, main_file="main.sh")
    assert (outcome.verdict(), outcome.stderr) == ("COMPLETED", b""), outcome.stderr
    return outcome.stdout.decode()


def facts(client, profile):
    outcome = client.execute(None, profile, files={"main.sh": "exit 0\n"}, main_file="main.sh")
    return outcome, {name: fact.value for name, fact in outcome.facts().items()}


def mounts(client, profile):
    """[(device, root, mount point, options, type, source)] as a run sees them."""
    found = []
    for line in run(client, MOUNTINFO, profile).splitlines():
        words, (kind, source, _) = line.split(" - ")[0].split(), line.split(" - ")[1].split(maxsplit=2)
        found.append((words[2], words[3], words[4], words[5].split(","), kind, source))
    return found


@pytest.mark.parametrize("kind", ["squashfs", "erofs"])
def test_a_run_sees_its_image_and_not_the_host(client, place, kind):
    there = set(run(client, "cd /usr && find . \n", f"bash-{kind}").split())
    tree = place / "tree" / "usr"
    assert there == {".", *("./" + str(path.relative_to(tree)) for path in tree.rglob("*"))}
    assert run(client, f"cat /{images.MARK}\n", f"bash-{kind}") == "only here\n"


def test_a_run_on_the_hosts_root_sees_no_image(client, image_daemon):
    output = run(client, f"ls /{images.MARK} 2>&1; ls -d /usr/bin/python3\n", "bash")
    assert "No such file" in output and output.endswith("/usr/bin/python3\n")
    text = run(client, MOUNTINFO, "bash")
    assert "squashfs" not in text and "erofs" not in text and str(image_daemon.directory) not in text


def test_the_result_says_which_root_was_in_force(client, place):
    kernel, loaded = client.api.run.KERNEL_READ, client.api.run.LOADED
    outcome, values = facts(client, "bash")
    assert (outcome.result.isolation.root, values["root"], "root_digest" in values) == ("host", "host", False)
    for kind in ("squashfs", "erofs"):
        outcome, values = facts(client, f"bash-{kind}")
        assert (outcome.result.isolation.root, values["root"]) == ("image", "image")
        assert values["root_digest"] == images.digest(place / f"bash.{kind}")
        assert (outcome.facts()["root"].source, outcome.facts()["root_digest"].source) == (kernel, loaded)
        assert outcome.isolation == outcome.result.isolation


def test_profiles_say_which_root_they_have(client, image_daemon, place):
    listed = {profile.name: profile for profile in client.unary("ListProfiles", client.api.run.ListProfilesRequest())[0].profiles}
    assert (listed["bash"].root, listed["bash"].root_digest) == ("host", "")
    assert (listed["bash-erofs"].root, listed["bash-erofs"].root_digest) == ("image", images.digest(place / "bash.erofs"))
    table = subprocess.run([CAISSON, "--socket", image_daemon.address, "profile", "list"], capture_output=True, text=True, check=True).stdout
    rows = {line.split()[0]: line.split() for line in table.splitlines()}
    assert rows["bash"][-2:] == ["host", "yes"] and rows["bash-erofs"][-2:] == ["image", "yes"]


def test_what_the_image_lacks_is_not_offered(client):
    listed = {profile.name: profile for profile in client.unary("ListProfiles", client.api.run.ListProfilesRequest())[0].profiles}
    assert not listed["python-in-bash"].available
    assert listed["python-in-bash"].unavailable_reason == "package python3 is not in the image (/usr/bin/python3 is missing)"
    assert listed["python"].available


def test_mounts_name_nothing_of_the_host(client, image_daemon, place):
    """Only what init makes, and the image, through a name that is the same on every host."""
    for kind in ("squashfs", "erofs"):
        seen = mounts(client, f"bash-{kind}")
        of_image = [mount for mount in seen if mount[2] not in OWN_MOUNTS]
        assert [(mount[1], mount[2], mount[4]) for mount in of_image] == [("/usr", "/usr", kind)]
        assert of_image[0][5].startswith("/proc/self/fd/")
        assert {"ro", "nosuid", "nodev"} <= set(of_image[0][3])
        assert {mount[4] for mount in seen if mount[2] in OWN_MOUNTS} == {"tmpfs", "proc"}
        assert {mount[5] for mount in seen if mount[2] in OWN_MOUNTS} == {"tmpfs", "proc"}
    text = run(client, MOUNTINFO)
    for word in (str(place), str(image_daemon.directory), "/var", "/run", "/dev/loop", "/dev/vda", os.uname().nodename + " "):
        assert word not in text, word


def test_nothing_else_names_the_host(client, image_daemon, place):
    """Every name and every small file that a run can reach, but for /usr, which is compared whole above."""
    script = ("find / -path /usr -prune -o -path /proc -prune -o -print\n"
              "find /etc -type f -exec cat {} +\n"
              "cat /proc/self/{cgroup,environ,cmdline,mounts,maps,status}; uname -n; id\n")
    text = run(client, script).replace("\0", "\n")
    users = {line.split(":")[0] for line in pathlib.Path("/etc/passwd").read_text(encoding="utf-8").splitlines()}
    named = set(text.replace("/", " ").replace(":", " ").split())
    # Also directories' and the sandbox's own name.
    assert not users & named - {"root", "nobody", "bin", "proc", "caisson"}
    assert str(image_daemon.directory) not in text and str(place) not in text
    assert os.uname().nodename not in text.split()
    for name in ("/home", "/root", "/var", "/run", "/opt", "/srv", "/sys", "/boot"):
        assert name not in text.split(), name


def test_the_image_cannot_be_written(client):
    script = ("for f in /usr/new /usr/bin/bash /usr/share/in-the-image; do { echo x > $f; } 2>&1; done\n"
              "ls -d /usr/new 2>&1\n")
    output = run(client, script)
    assert output.count("Read-only file system") + output.count("Permission denied") == 3 and "No such file" in output


def test_one_mount_is_shared_by_all_profiles_of_an_image(client, image_daemon):
    """caissond mounts each digest once; the device number of two profiles' runs is the same, and not the other image's."""
    devices = {name: [mount[0] for mount in mounts(client, name) if mount[2] == "/usr"] for name in
               ("bash-squashfs", "bash-again", "bash-erofs")}
    assert devices["bash-squashfs"] == devices["bash-again"] != devices["bash-erofs"]
    info = pathlib.Path(f"/proc/{image_daemon.pid}/mountinfo").read_text(encoding="ascii")
    inside = [line for line in info.splitlines() if f" {image_daemon.config['state_dir']}/images/" in line]
    assert len(inside) == 2
    assert all({"ro", "nosuid", "nodev"} <= set(line.split()[5].split(",")) for line in inside)


def test_the_host_has_no_mount_of_it(client, image_daemon):
    facts(client, "bash-squashfs")
    assert str(image_daemon.directory) not in pathlib.Path("/proc/self/mountinfo").read_text(encoding="ascii")


def test_the_dispatcher_keeps_no_way_to_the_images(client, image_daemon):
    facts(client, "bash-squashfs")
    pid = image_daemon.dispatcher_pid()
    opened = [os.readlink(path) for path in pathlib.Path(f"/proc/{pid}/fd").iterdir()]
    assert not [target for target in opened if "images" in target]


def resident_pages(path):
    """(pages in the page cache, pages) of a file, by mincore(2)."""
    size = path.stat().st_size
    pages = -(-size // mmap.PAGESIZE)
    with open(path, "rb") as file, mmap.mmap(file.fileno(), size, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ | mmap.PROT_WRITE) as mapped:
        seen = (ctypes.c_ubyte * pages)()
        first = ctypes.c_char.from_buffer(mapped)
        assert ctypes.CDLL(None).mincore(ctypes.c_void_p(ctypes.addressof(first)), ctypes.c_size_t(size), seen) == 0
        del first
        return sum(page & 1 for page in seen), pages


def test_its_pages_are_in_the_cache_before_the_first_run(place):
    """caissond has read every file, so that no run is charged for a page of the image by being the first."""
    own = Daemon(profiles=["bash"], ready_sandboxes=0)
    own.write_files()
    images.add_profile(own, "bash-image", place / "bash.squashfs")
    with own:
        name = images.digest(place / "bash.squashfs").removeprefix("sha256:")
        mounted = pathlib.Path(f"/proc/{own.pid}/root{own.config['state_dir']}/images/{name}")
        for program in images.PROGRAMS:
            resident, pages = resident_pages(mounted / "usr" / "bin" / program)
            assert resident == pages, program
        line = next(line for line in own.log if "bash.squashfs" in line)
    files = sum(1 for path in (place / "tree").rglob("*") if path.is_file() and not path.is_symlink())
    assert f"{files} files" in line and images.digest(place / "bash.squashfs") in line


def test_an_image_that_is_replaced_while_it_is_used_changes_nothing(place):
    """A new file of the same name is another inode; the mount goes on with the one whose digest was checked."""
    image = place / "replaced.squashfs"
    shutil.copy(place / "bash.squashfs", image)
    own = Daemon(profiles=["bash"])
    own.write_files()
    images.add_profile(own, "bash-image", image)
    with own, contextlib.closing(Client(own.address)) as client:
        assert run(client, f"cat /{images.MARK}\n", "bash-image") == "only here\n"
        (place / "other").write_bytes(os.urandom(4096))
        os.replace(place / "other", image)
        assert run(client, f"cat /{images.MARK}\n", "bash-image") == "only here\n"
        os.unlink(image)
        assert run(client, f"cat /{images.MARK}\n", "bash-image") == "only here\n"


def loop_devices(image):
    """Loop devices over a file, as the kernel tells them."""
    return [path for path in pathlib.Path("/sys/block").glob("loop*/loop/backing_file")
            if path.read_text(encoding="utf-8").strip().removesuffix(" (deleted)") == str(image)]


def test_kill_9_leaves_no_mount_and_no_loop_device(place):
    image = place / "killed.squashfs"
    shutil.copy(place / "bash.squashfs", image)
    own = Daemon(profiles=["bash"])
    own.write_files()
    images.add_profile(own, "bash-image", image)
    with own:
        assert len(loop_devices(image)) == 1
        pids = [own.dispatcher_pid(), *own.run_pids(), *own.waiting_pids()]
        own.kill9()
        assert all(processes.wait_dead(pid, scaled(10)) for pid in pids)
        assert processes.wait_until(lambda: not loop_devices(image), scaled(10))
        own.start()  # sweeps what the killed one left, and mounts anew
        with contextlib.closing(Client(own.address)) as client:
            assert run(client, f"cat /{images.MARK}\n", "bash-image") == "only here\n"


@pytest.fixture
def lone_image(place):
    directory = pathlib.Path(tempfile.mkdtemp(prefix="caisson-test-image-", dir="/var/tmp"))
    os.chmod(directory, 0o755)
    yield pathlib.Path(shutil.copy(place / "bash.squashfs", directory / "image"))
    shutil.rmtree(directory)


def test_links_in_an_image_do_not_lead_to_the_host(lone_image, place):
    """The source of a mount is a link to a file that the host has and the image has not."""
    tree = lone_image.parent / "tree"
    shutil.copytree(place / "tree", tree, symlinks=True)
    (tree / "etc").mkdir()
    (tree / "etc" / "outside").symlink_to("/etc/os-release")
    (tree / "etc" / "inside").symlink_to("../usr/share/in-the-image")
    images.pack(tree, lone_image)
    own = Daemon(profiles=["bash"])
    own.write_files()
    extra = [{"source": f"/etc/{name}", "optional": True, "why": "a test"} for name in ("outside", "inside")]
    images.add_profile(own, "bash-image", lone_image, steps={"all": {"mounts": extra}})
    with own, contextlib.closing(Client(own.address)) as client:
        assert run(client, "ls /etc; cat /etc/inside\n", "bash-image").split() == ["group", "hosts", "inside", "nsswitch.conf", "passwd",
                                                                                 "only", "here"]
    required = [{"source": "/etc/outside", "why": "a test"}]
    own = Daemon(profiles=["bash"])
    try:
        own.write_files()
        images.add_profile(own, "bash-image", lone_image, steps={"all": {"mounts": required}})
        with pytest.raises(DaemonFailed) as failed:
            own.start()
    finally:
        own.remove_files()
    assert "bind /etc/outside of the image" in "".join(failed.value.log)


def test_sandboxes_of_an_image_are_built_ahead_too(place):
    """The pool hands out sandboxes with the same report."""
    own = Daemon(profiles=["bash"])
    own.write_files()
    images.add_profile(own, "bash-image", place / "bash.squashfs")
    with own, contextlib.closing(Client(own.address)) as client:
        facts(client, "bash-image")
        assert processes.wait_until(own.waiting_pids, scaled(20))
        for _ in range(2):
            assert facts(client, "bash-image")[1]["root"] == "image"


def test_a_live_run_keeps_its_image(client):
    call = client.start(request(None, "bash-squashfs", files={"main.sh": "echo here; read -r _ < <(sleep 60)\n"}, main_file="main.sh"))
    call.until_output(b"here")
    assert run(client, f"cat /{images.MARK}\n") == "only here\n"
    call.cancel()
