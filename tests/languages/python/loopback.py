"""Servers and clients in one program: sockets, asyncio, http.server, UDP, both families, names."""
import asyncio
import http.server
import os
import socket
import socketserver
import threading
import urllib.request
import xmlrpc.client
import xmlrpc.server


def send_all(client, data):
    client.sendall(data)
    client.shutdown(socket.SHUT_WR)


def plain_sockets():
    for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"), (socket.AF_INET, "127.9.8.7")):
        with socket.create_server((host, 0), family=family) as server:
            with socket.create_connection(server.getsockname()[:2]) as client:
                peer, address = server.accept()
                with peer:
                    assert address[0] == client.getsockname()[0]
                    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
                    sender = threading.Thread(target=send_all, args=(client, b"x" * 1_000_000))
                    sender.start()
                    assert len(b"".join(iter(lambda: peer.recv(65536), b""))) == 1_000_000
                    sender.join()


def both_families():
    with socket.create_server(("", 0), family=socket.AF_INET6, dualstack_ipv6=True) as server:
        port = server.getsockname()[1]
        for host in ("127.0.0.1", "::1", "localhost"):
            with socket.create_connection((host, port)):
                server.accept()[0].close()


def datagrams():
    for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        with socket.socket(family, socket.SOCK_DGRAM) as one, socket.socket(family, socket.SOCK_DGRAM) as other:
            one.bind((host, 0))
            other.sendto(b"hello", one.getsockname())
            assert one.recvfrom(100)[0] == b"hello"


def names():
    found = {answer[4][0] for answer in socket.getaddrinfo("localhost", 80, type=socket.SOCK_STREAM)}
    assert found == {"127.0.0.1", "::1"}, found
    try:
        socket.getaddrinfo("example.org", 80)
    except socket.gaierror:
        return
    raise AssertionError("there is no name service")


class Files(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def web():
    with open("/box/page.txt", "w", encoding="utf-8") as page:
        page.write("a page")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Files) as server:
        threading.Thread(target=server.serve_forever).start()
        with urllib.request.urlopen(f"http://localhost:{server.server_port}/page.txt") as answer:
            assert answer.read() == b"a page"
        server.shutdown()


def remote_calls():
    with xmlrpc.server.SimpleXMLRPCServer(("127.0.0.1", 0), logRequests=False) as server:
        server.register_function(pow, "power")
        threading.Thread(target=server.serve_forever).start()
        with xmlrpc.client.ServerProxy(f"http://127.0.0.1:{server.server_address[1]}") as proxy:
            assert proxy.power(2, 10) == 1024
        server.shutdown()


class Echo(socketserver.StreamRequestHandler):
    def handle(self):
        self.wfile.write(self.rfile.readline())


def processes():
    with socketserver.ForkingTCPServer(("127.0.0.1", 0), Echo) as server:
        threading.Thread(target=server.serve_forever).start()
        with socket.create_connection(server.server_address) as client:
            client.sendall(b"a line\n")
            assert client.makefile().readline() == "a line\n"
        server.shutdown()


async def asynchronous():
    async def answer(reader, writer):
        writer.write((await reader.readline()).upper())
        await writer.drain()
        writer.close()

    async def ask(port, number):
        reader, writer = await asyncio.open_connection("localhost", port)
        writer.write(b"question %d\n" % number)
        assert await reader.readline() == b"QUESTION %d\n" % number
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(answer, "localhost", 0)
    async with server:
        for bound in server.sockets:
            port = bound.getsockname()[1]
            host = bound.getsockname()[0]
            reader, writer = await asyncio.open_connection(host, port)
            writer.write(b"x\n")
            assert await reader.readline() == b"X\n"
            writer.close()
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        await asyncio.gather(*(ask(server.sockets[0].getsockname()[1], number) for number in range(50)))


plain_sockets()
both_families()
datagrams()
names()
web()
remote_calls()
processes()
asyncio.run(asynchronous())
assert os.path.exists("/box/page.txt")
print("ok")
