"""NET-04: names of hosts."""

import os
import socket

from payload import attempt, say


def resolve(name, call):
    try:
        say(name, call())
    except socket.gaierror as error:
        say(name, f"gaierror {error.errno}")
    except socket.herror as error:
        say(name, f"gaierror {error.errno}")


def own_query():
    query = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    query.sendto(b"\0\1\1\0\0\1\0\0\0\0\0\0\7example\3org\0\0\1\0\1", ("8.8.8.8", 53))


def connect(path):
    socket.socket(socket.AF_UNIX).connect(path)


resolve("getaddrinfo", lambda: socket.getaddrinfo("example.org", 80))
resolve("gethostbyname", lambda: socket.gethostbyname("example.org"))
attempt("own_query", own_query)
attempt("resolv_conf", lambda: os.open("/etc/resolv.conf", os.O_RDONLY))
attempt("nscd", lambda: connect("/var/run/nscd/socket"))
attempt("resolved", lambda: connect("/run/systemd/resolve/io.systemd.Resolve"))
resolve("localhost", lambda: socket.gethostbyname("localhost"))
