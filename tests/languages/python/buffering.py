"""Standard output is line-buffered, as at a terminal: a line at once, a piece of one when its line or the program ends."""
import io
import os
import select
import subprocess
import sys

assert sys.stdout.line_buffering and not sys.stdout.write_through and isinstance(sys.stdout.buffer, io.BufferedWriter)

reader, writer = os.pipe()
child = subprocess.Popen([sys.executable, "-c", "import sys; print('a line', 1); sys.stdout.write('a piece'); sys.stdin.read()"],
                         stdin=subprocess.PIPE, stdout=writer)
os.close(writer)
assert select.select([reader], [], [], 30)[0] and os.read(reader, 100) == b"a line 1\n"
child.stdin.close()
assert os.read(reader, 100) == b"a piece" and os.read(reader, 100) == b"" and child.wait() == 0

assert sys.flags.no_user_site == 0 and os.environ["PYTHONUSERBASE"] == "/etc/python-user"
assert subprocess.run([sys.executable, "-c", "print(1)"], stdout=None, close_fds=True, preexec_fn=lambda: os.close(1)).returncode == 0
print("ok")
