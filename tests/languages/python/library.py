"""Text, numbers, dates, hashes, random numbers, locales, sockets between processes of the run."""
import base64
import collections
import ctypes
import datetime
import decimal
import getpass
import hashlib
import hmac
import json
import locale
import logging
import pickle
import platform
import random
import re
import secrets
import select
import socket
import ssl
import statistics
import struct
import sys
import time
import unicodedata
import uuid
import xml.etree.ElementTree
import zlib
import zoneinfo

assert json.loads(json.dumps({"ä": [1, 2.5, None, True]})) == {"ä": [1, 2.5, None, True]}
assert re.sub(r"(\w+)@(\w+)", r"\2 at \1", "me@home you@work") == "home at me work at you"
assert unicodedata.normalize("NFD", "é") == "e\u0301"
assert xml.etree.ElementTree.fromstring("<a><b c='1'/></a>").find("b").get("c") == "1"
assert struct.unpack("<IH", struct.pack("<IH", 7, 8)) == (7, 8)
assert pickle.loads(pickle.dumps({1: {2, 3}})) == {1: {2, 3}} and base64.b64decode(base64.b64encode(b"x")) == b"x"
assert decimal.Decimal("0.1") * 3 == decimal.Decimal("0.3") and statistics.median([3, 1, 2]) == 2
assert 3 ** 5000 % 1_000_007 == pow(3, 5000, 1_000_007)
assert zlib.decompress(zlib.compress(b"z" * 1000)) == b"z" * 1000

berlin = datetime.datetime(2024, 7, 1, 12, tzinfo=zoneinfo.ZoneInfo("Europe/Berlin"))
assert berlin.utcoffset() == datetime.timedelta(hours=2) and berlin.strftime("%A") == "Monday"
assert time.strftime("%Y", time.localtime()) >= "2024" and time.tzname
assert locale.setlocale(locale.LC_ALL, "") == "C.UTF-8" and "ü".upper() == "Ü"

assert hashlib.sha256(b"").hexdigest().startswith("e3b0c442") and hashlib.blake2b(b"x").digest_size == 64
assert len(hashlib.scrypt(b"p", salt=b"s", n=1024, r=8, p=1)) == 64
assert len(hashlib.pbkdf2_hmac("sha256", b"p", b"s", 10_000)) == 32 and len(hmac.digest(b"k", b"m", "sha256")) == 32
assert 0 <= random.random() < 1 and len(secrets.token_bytes(16)) == 16 and uuid.uuid4() != uuid.uuid4()
assert ssl.create_default_context() and ssl.OPENSSL_VERSION
random.seed(1)
assert random.sample(range(100), 3) == [17, 72, 97]

values = [random.random() for _ in range(500_000)]
assert sorted(values)[0] == min(values) and len(collections.Counter(int(value * 10) for value in values)) == 10
matrix = {(row, column): row * column for row in range(500) for column in range(500)}
assert sum(matrix.values()) == 124750 ** 2

left, right = socket.socketpair()
left.sendall(b"pair")
assert right.recv(10) == b"pair"
assert socket.gethostbyname(socket.gethostname()) == "127.0.1.1"
server = socket.socket(socket.AF_UNIX)
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind("/tmp/server")
server.listen()
client = socket.socket(socket.AF_UNIX)
client.settimeout(5)
client.connect("/tmp/server")
accepted, _ = server.accept()
accepted.sendall(b"local")
assert client.recv(10) == b"local"
poller = select.epoll()
poller.register(client, select.EPOLLOUT)
assert poller.poll(1)

libc = ctypes.CDLL(None)
assert libc.abs(-3) == 3 and ctypes.sizeof(ctypes.c_long) == 8
callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int))
numbers = (ctypes.c_int * 4)(4, 1, 3, 2)
libc.qsort(numbers, 4, ctypes.sizeof(ctypes.c_int), callback(lambda a, b: a[0] - b[0]))
assert list(numbers) == [1, 2, 3, 4]
assert platform.system() == "Linux" and platform.node() == "caisson" and getpass.getuser() == "box"
logging.basicConfig(stream=sys.stdout, format="%(message)s")
logging.getLogger().warning("ok")
