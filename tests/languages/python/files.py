"""Files, directories, archives, databases, temporary files, memory maps."""
import bz2
import csv
import dbm.dumb
import fcntl
import filecmp
import grp
import gzip
import io
import lzma
import mmap
import os
import pathlib
import pwd
import shutil
import sqlite3
import tarfile
import tempfile
import zipfile

root = pathlib.Path("tree")
(root / "deep" / "er").mkdir(parents=True)
(root / "a.txt").write_text("zeile\n" * 20_000)
shutil.copy2(root / "a.txt", root / "deep" / "b.txt")
shutil.copytree(root, "copy")
shutil.move("copy", "moved")
os.symlink("a.txt", root / "link")
os.link(root / "a.txt", root / "hard")
os.chmod(root / "hard", 0o640)
os.utime(root / "hard", (1_000_000_000, 1_000_000_002))
assert (root / "link").resolve().name == "a.txt" and (root / "hard").stat().st_mtime == 1_000_000_002
assert sorted(path.name for path in root.rglob("*")) == ["a.txt", "b.txt", "deep", "er", "hard", "link"]
assert filecmp.cmp(root / "a.txt", "moved/a.txt", shallow=False)
assert shutil.disk_usage("/box").total > 0 and os.statvfs("/tmp").f_bsize > 0
assert os.access(root, os.R_OK) and not os.access("/usr", os.W_OK)
os.mkfifo("fifo", 0o600)
shutil.chown(root / "hard", os.getuid(), os.getgid())

with open("map", "w+b") as file:
    file.truncate(8192)
    with mmap.mmap(file.fileno(), 8192) as view:
        view[:5] = b"hello"
        view.flush()
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.posix_fallocate(file.fileno(), 0, 16384)
    os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_SEQUENTIAL)
    os.fsync(file.fileno())
    os.pwritev(file.fileno(), [b"x", b"y"], 4)
    assert file.read(6) == b"hellxy"
    with open("sent", "wb") as target:
        assert os.sendfile(target.fileno(), file.fileno(), 0, 6) == 6
        assert os.copy_file_range(file.fileno(), target.fileno(), 6, 0) == 6

with sqlite3.connect("data.db") as database:
    database.execute("pragma journal_mode=wal")
    database.execute("create table words(word text, count integer)")
    database.executemany("insert into words values(?, ?)", ((f"w{n}", n) for n in range(1000)))
    assert database.execute("select count(*) from words").fetchone() == (1000,)

with tarfile.open("tree.tar", "w") as archive:
    archive.add(root)
    entry = tarfile.TarInfo("of root")
    entry.uname = pwd.getpwuid(0).pw_name
    entry.gname = grp.getgrgid(0).gr_name
    archive.addfile(entry)
with tarfile.open("tree.tar") as archive:
    archive.extractall("untarred", [member for member in archive if member.uname == "box"])
    assert archive.getmember("of root").uname == archive.getmember("of root").gname == "root"
assert (pathlib.Path("untarred") / root / "deep" / "b.txt").stat().st_size == 120_000

for compressed in (gzip.compress, bz2.compress, lzma.compress):
    assert len(compressed(b"a" * 100_000)) < 1000
with tarfile.open("t.tar.xz", "w:xz") as archive:
    archive.add("tree")
with tarfile.open("t.tar.xz") as archive:
    archive.extractall("untarred")
assert (pathlib.Path("untarred/tree/hard")).stat().st_size == 120_000
with zipfile.ZipFile("z.zip", "w", zipfile.ZIP_DEFLATED) as archive:
    archive.write("tree/a.txt")
assert zipfile.ZipFile("z.zip").testzip() is None
with dbm.dumb.open("dbm") as store:
    store["k"] = "v"
with tempfile.NamedTemporaryFile() as file, tempfile.TemporaryDirectory() as directory, tempfile.SpooledTemporaryFile(10) as spooled:
    spooled.write(b"x" * 100)
    file.write(b"x")
    assert os.listdir(directory) == [] and file.name.startswith("/tmp/")
table = io.StringIO()
csv.writer(table).writerow(["a", 'b "quoted"', 3])
assert next(csv.reader([table.getvalue().strip()])) == ["a", 'b "quoted"', "3"]
shutil.rmtree("tree")
try:
    open("/usr/x", "w")
    raise AssertionError("wrote to /usr")
except OSError:
    pass
print("ok")
