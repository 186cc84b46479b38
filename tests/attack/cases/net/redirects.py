"""NET-16: names and answers of the program's own that lead to a metadata service, after a first look that was harmless."""
import errno
import http.server
import socket
import socketserver
import struct
import threading
import urllib.error
import urllib.request

METADATA = "169.254.169.254"
answers = ["127.0.0.1", METADATA]


def say(name, value):
    print(name, value, flush=True)


class Names(socketserver.DatagramRequestHandler):
    """One name, 127.0.0.1 at first and then the metadata service."""

    def handle(self):
        question = self.rfile.read()
        answer = answers.pop(0) if answers else METADATA
        self.wfile.write(question[:2] + struct.pack(">5H", 0x8180, 1, 1, 0, 0) + question[12:]
                         + b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 0, 4) + socket.inet_aton(answer))


class Redirect(http.server.BaseHTTPRequestHandler):
    """Sends everybody to the metadata service."""

    def do_GET(self):
        self.send_response(302)
        self.send_header("Location", f"http://{METADATA}/latest/meta-data/")
        self.end_headers()

    def log_message(self, *_):
        pass


def resolve(server):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        asker.sendto(b"\x12\x34\x01\x00\x00\x01" + bytes(6) + b"\x04evil\x04test\x00\x00\x01\x00\x01", server)
        return socket.inet_ntoa(asker.recv(512)[-4:])


def name_of(error):
    reason = getattr(error, "reason", error)
    return errno.errorcode.get(getattr(reason, "errno", None), repr(reason))


def attempt(name, call):
    try:
        call()
        say(name, "ok")
    except OSError as error:
        say(name, name_of(error))


with socketserver.UDPServer(("127.0.0.1", 0), Names) as names, http.server.HTTPServer(("127.0.0.1", 0), Redirect) as web:
    for server in (names, web):
        threading.Thread(target=server.serve_forever, daemon=True).start()
    say("first", resolve(names.server_address))
    second = resolve(names.server_address)
    say("second", second)
    attempt("rebound", lambda: socket.create_connection((second, 80), timeout=5))
    attempt("redirected", lambda: urllib.request.urlopen(f"http://127.0.0.1:{web.server_port}/", timeout=5))
    attempt("decimal", lambda: socket.create_connection(("2852039166", 80), timeout=5))
    attempt("mapped", lambda: socket.create_connection((f"::ffff:{METADATA}", 80), timeout=5))
    for server in (names, web):
        server.shutdown()
