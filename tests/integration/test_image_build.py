"""`caisson image build`: what it refuses and would do; and, long, that the recipe of docs/images.md gives numpy."""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import stat
import subprocess
import tempfile

import pytest

from support import images, processes
from support.client import Client
from support.daemon import Daemon
from support.environment import CAISSON, REPOSITORY, scaled

# Images are made by tools of the host's (mmdebstrap).
pytestmark = pytest.mark.host

WITH_NUMPY = "import numpy, sys\nprint(numpy.arange(4).sum(), numpy.__file__, sys.prefix)\n"


def build(*args, **options):
    return subprocess.run([CAISSON, "image", "build", *args], capture_output=True, text=True, check=False,
                          timeout=scaled(options.pop("timeout", 60)), **options)


@pytest.fixture(scope="module")
def place(privileged):  # pylint: disable=unused-argument
    """Root's directory with the profiles, root's too, and room for images."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix="caisson-test-build-", dir="/var/tmp"))
    os.chmod(directory, 0o755)
    shutil.copytree(REPOSITORY / "profiles", directory / "profiles")
    for path in [directory / "profiles", *(directory / "profiles").iterdir()]:
        os.chown(path, 0, 0)
        os.chmod(path, 0o755 if path.is_dir() else 0o644)
    yield directory
    shutil.rmtree(directory)


@pytest.fixture
def profiles(place):
    return ["--profiles", str(place / "profiles")]


def work_directories():
    return set(pathlib.Path("/var/tmp").glob("caisson-image-*"))


def test_a_dry_run_says_what_would_be_executed(profiles):
    done = build("python", "--packages", "python3-numpy", "--pip", "six==1.16.0", "--dry-run", *profiles)
    assert (done.returncode, done.stderr) == (0, "")
    debian, pip, pack = done.stdout.splitlines()
    assert debian.startswith("/usr/bin/mmdebstrap --mode=root") and "--include=python3,python3-numpy" in debian
    assert "--only-binary=:all:" in pip and pip.endswith("-- six==1.16.0")
    assert pack.startswith("/usr/bin/mksquashfs TREE FILE")
    node = build("node", "--npm", "@types/node,lodash@4.17.21", "--format", "erofs", "--dry-run", *profiles).stdout.splitlines()
    assert "--ignore-scripts" in node[1] and node[1].endswith("-- @types/node lodash@4.17.21")
    assert node[2].startswith("/usr/bin/mkfs.erofs ")


@pytest.mark.parametrize("arguments", [["--packages", "-oDpkg::Pre-Invoke::=id"], ["--packages", "./x.deb"], ["--packages", "a,,b"],
                                       ["--pip", "git+https://example.org/x"], ["--pip", "/tmp/x.whl"], ["--pip", "--index-url=http://x"],
                                       ["--npm", "file:/tmp/x"], ["--npm", "user/repository"], ["--npm", "--prefix=/"]])
def test_only_names_of_packages_are_taken(profiles, arguments):
    option, value = arguments
    done = build("python", f"{option}={value}", "--dry-run", *profiles)
    assert (done.returncode, done.stdout) == (125, "")
    assert "is no name of" in done.stderr and done.stderr.count("\n") == 1


def test_an_unknown_profile_names_the_nearest(profiles):
    done = build("pythn", "--dry-run", *profiles)
    assert done.returncode == 125 and "no profile is named 'pythn'; did you mean python?" in done.stderr


def test_an_unknown_format_is_wrong_usage(profiles):
    done = build("python", "--format", "ext4", *profiles)
    assert done.returncode == 2 and "must be squashfs or erofs, not ext4" in done.stderr


def test_it_needs_root(place, profiles):
    for path in [*CAISSON.resolve().parents][:-1]:
        if not path.stat().st_mode & 0o001:
            pytest.skip(f"others cannot enter {path}")
    done = subprocess.run(["/usr/bin/setpriv", "--reuid=65534", "--clear-groups", CAISSON, "image", "build", "bash", *profiles,
                           "--output", place / "x"], capture_output=True, text=True, check=False)
    assert done.returncode == 125 and "needs root: sudo caisson image build bash" in done.stderr


def test_it_believes_only_profiles_of_roots(place):
    loose = place / "loose"
    shutil.copytree(place / "profiles", loose)
    os.chmod(loose / "python.json", 0o666)
    done = build("python", "--dry-run", "--profiles", loose)
    assert (done.returncode, done.stdout) == (125, "") and "python.json" in done.stderr


def test_what_is_there_is_not_replaced_unasked(place, profiles):
    before = work_directories()
    path = place / "precious.json"
    path.write_text("mine")
    for options in (["--output", path], ["--output", place / "other", "--write-profile", path]):
        done = build("bash", *profiles, *options)
        assert done.returncode == 125 and f"{path} is there already; --force replaces it" in done.stderr
        assert path.read_text() == "mine"
    (place / "new.json").write_text("mine")
    done = build("bash", *profiles, "--output", place / "new")
    assert done.returncode == 125 and f"{place / 'new.json'} is there already" in done.stderr
    assert work_directories() == before


@pytest.mark.parametrize("name", ["Bash.json", "bash-image", "bash-image.txt", "bash.json", "a b.json"])
def test_a_profile_that_caissond_would_not_take_is_not_promised(place, profiles, name):
    done = build("bash", *profiles, "--output", place / "never", "--write-profile", place / name)
    assert done.returncode == 125 and "--write-profile" in done.stderr and done.stderr.count("\n") == 1
    assert not (place / name).exists()


def test_a_directory_that_others_may_write_to_is_refused_before_anything_is_fetched(place, profiles):
    shared = place / "shared"
    shared.mkdir()
    os.chmod(shared, 0o777)
    before = work_directories()
    done = build("bash", *profiles, "--output", shared / "image")
    assert done.returncode == 125 and "mode 0777 lets others write" in done.stderr
    assert work_directories() == before and not list(shared.iterdir())


@pytest.mark.long
def test_an_interrupted_build_leaves_nothing(place, profiles):
    before = work_directories()
    output = place / "interrupted"
    mounts = pathlib.Path("/proc/self/mountinfo").read_text(encoding="utf-8")
    process = subprocess.Popen([CAISSON, "image", "build", "bash", *profiles, "--output", output], stderr=subprocess.PIPE,
                               stdout=subprocess.DEVNULL, text=True)
    line = process.stderr.readline()
    assert "mmdebstrap" in line
    assert processes.wait_until(lambda: work_directories() - before, scaled(10))
    process.send_signal(signal.SIGTERM)
    rest = process.stderr.read()
    assert process.wait(scaled(60)) == 125
    assert "was interrupted" in rest
    assert work_directories() == before
    assert not [path for path in place.iterdir() if "interrupted" in path.name or path.name.startswith(".caisson-image")]
    assert pathlib.Path("/proc/self/mountinfo").read_text(encoding="utf-8") == mounts


@pytest.fixture(scope="module")
def built(place):
    """The recipe of docs/images.md: python with numpy of Debian's, and six from PyPI; the result of the command and the image."""
    profile = place / "python-numpy.json"
    before = work_directories()
    done = build("python", "--packages", "python3-numpy", "--pip", "six", "--profiles", place / "profiles",
                 "--output", place / "python.squashfs", "--write-profile", profile, timeout=3000)
    assert done.returncode == 0, done.stderr[-4000:]
    assert work_directories() == before
    return done, place / "python.squashfs", profile


@pytest.fixture(scope="module")
def numpy_daemon(built):
    own = Daemon(profiles=["python"])
    own.write_files()
    shutil.copy(built[2], own.profiles_dir)
    os.chmod(own.profiles_dir / built[2].name, 0o644)
    with own:
        yield own


@pytest.fixture(scope="module")
def numpy_client(numpy_daemon):
    with contextlib.closing(Client(numpy_daemon.address)) as client:
        yield client


def python(client, source, profile):
    return client.execute(None, profile, files={"main.py": source}, main_file="main.py")


@pytest.mark.long
def test_the_manifest_lists_what_is_in_the_image(built):
    _, image, profile = built
    manifest = json.loads(pathlib.Path(f"{image}.json").read_text(encoding="utf-8"))
    assert manifest["digest"] == images.digest(image) == json.loads(profile.read_text(encoding="utf-8"))["root"]["digest"]
    assert manifest["bytes"] == image.stat().st_size
    assert {"python3", "python3-numpy", "libc6"} <= set(manifest["packages"]["debian"])
    assert set(manifest["packages"]["pip"]) == {"six"}
    for path in (image, pathlib.Path(f"{image}.json"), profile):
        assert (path.stat().st_uid, stat.S_IMODE(path.stat().st_mode)) == (0, 0o644)


@pytest.mark.long
def test_numpy_is_there(numpy_client, built):
    outcome = python(numpy_client, WITH_NUMPY, "python-numpy")
    assert outcome.verdict() == "COMPLETED" and outcome.stdout.startswith(b"6 /usr/lib/python3/dist-packages/numpy"), outcome.stderr
    assert outcome.denials() == {}
    facts = {name: fact.value for name, fact in outcome.facts().items()}
    assert (facts["root"], facts["root_digest"]) == ("image", images.digest(built[1]))


@pytest.mark.long
def test_packages_of_pip_are_there_and_compiled(numpy_client):
    source = "import six, os\nprint(six.__version__, os.listdir(os.path.dirname(six.__file__) + '/__pycache__'))\n"
    outcome = python(numpy_client, source, "python-numpy")
    assert outcome.verdict() == "COMPLETED" and b"six.cpython-" in outcome.stdout, outcome.stderr


@pytest.mark.long
def test_the_host_does_not_see_the_image_nor_the_image_the_host(numpy_client):
    """six of the image is not on the host's root; what marks the host's root is not in the image."""
    source = "import os\nprint(os.path.exists('/usr/local/lib/python3.11/dist-packages/six.py'), os.path.exists('/usr/bin/g++'))\n"
    assert python(numpy_client, source, "python-numpy").stdout == b"True False\n"
    host = python(numpy_client, source, "python").stdout
    assert host == f"{os.path.exists('/usr/local/lib/python3.11/dist-packages/six.py')} True\n".encode()


@pytest.mark.long
def test_the_image_says_nothing_about_the_host_that_made_it(numpy_client, place):
    """Outside /usr and /proc nothing but what the profile makes; in /usr no file that has the host's name or the build's paths in it."""
    source = ("import os\n"
              "for top in sorted(os.listdir('/')): print(top)\n"
              "words = [b'caisson-image-', b'%s']\n"
              "for directory, _, files in os.walk('/usr'):\n"
              "  for name in files:\n"
              "    path = os.path.join(directory, name)\n"
              "    if os.path.isfile(path) and not os.path.islink(path):\n"
              "      content = open(path, 'rb').read()\n"
              "      for word in words:\n"
              "        if word in content: print('FOUND', word, path)\n" % str(place))
    outcome = python(numpy_client, source, "python-numpy")
    assert outcome.verdict() == "COMPLETED", outcome.stderr
    assert outcome.stdout.decode().split() == [".caisson-landlock-probe", "bin", "box", "dev", "etc", "lib", "lib64", "proc", "sbin", "tmp", "usr"]
    etc = python(numpy_client, "import os\nprint(*sorted(os.listdir('/etc')))\n", "python-numpy").stdout.decode().split()
    assert set(etc) <= {"alternatives", "group", "hosts", "ld.so.cache", "nsswitch.conf", "passwd", "python-user"}


@pytest.mark.long
def test_its_toolchain_and_libraries_are_told(numpy_client, built):
    listed = {profile.name: profile for profile in
              numpy_client.unary("ListProfiles", numpy_client.api.run.ListProfilesRequest())[0].profiles}
    manifest = json.loads(pathlib.Path(f"{built[1]}.json").read_text(encoding="utf-8"))
    assert listed["python-numpy"].toolchain_version == manifest["packages"]["debian"]["python3"]
    assert list(listed["python-numpy"].packages) == ["numpy"]


@pytest.mark.long
def test_no_set_user_id_program_is_in_the_image(numpy_client):
    source = ("import os, stat\n"
              "raising = [os.path.join(d, f) for d, _, fs in os.walk('/usr') for f in fs\n"
              "           if os.lstat(os.path.join(d, f)).st_mode & (stat.S_ISUID | stat.S_ISGID)]\n"
              "print(raising, os.path.exists('/usr/bin/su'))\n")
    assert python(numpy_client, source, "python-numpy").stdout == b"[] True\n"
