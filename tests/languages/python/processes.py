"""Processes, pipes, signals and timers; what their users see of their own limits."""
import asyncio
import os
import resource
import select
import shlex
import signal
import subprocess
import sys
import time

done = subprocess.run(["/bin/sh", "-c", "read line; echo got $line; exit 3"], input=b"it\n", capture_output=True)
assert (done.stdout, done.returncode) == (b"got it\n", 3)
assert subprocess.check_output("printf 'b\\na\\n' | sort | tr a-z A-Z", shell=True) == b"A\nB\n"
assert subprocess.run([sys.executable, "-c", "import sys; print(sys.argv[1])", "child"], capture_output=True,
                      start_new_session=True, text=True).stdout == "child\n"
try:
    subprocess.run(["/bin/sleep", "30"], timeout=0.05)
    raise AssertionError("it slept")
except subprocess.TimeoutExpired:
    pass
assert os.system("exit 4") == 4 << 8
assert os.popen("echo popen").read() == "popen\n"
assert shlex.split("a 'b c'") == ["a", "b c"]

reader, writer = os.pipe()
child = os.fork()
if child == 0:
    os.write(writer, b"forked")
    os._exit(5)
assert os.waitpid(child, 0)[1] == 5 << 8
assert select.select([reader], [], [], 5)[0] and os.read(reader, 10) == b"forked"
child = os.posix_spawn("/bin/true", ["true"], {})
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0

arrived = []
signal.signal(signal.SIGALRM, lambda number, _: arrived.append(number))
signal.signal(signal.SIGUSR1, lambda number, _: arrived.append(number))
os.kill(os.getpid(), signal.SIGUSR1)
signal.setitimer(signal.ITIMER_REAL, 0.01)
while len(arrived) < 2:
    signal.pause()
assert sorted(arrived) == [signal.SIGUSR1, signal.SIGALRM]
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2})
signal.raise_signal(signal.SIGUSR2)
assert signal.sigtimedwait({signal.SIGUSR2}, 5).si_signo == signal.SIGUSR2

before = time.monotonic()
time.sleep(0.01)
assert time.monotonic() - before >= 0.01
assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > 0
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] > 0 and os.nice(0) >= 0 and len(os.sched_getaffinity(0)) >= 1


async def talk():
    process = await asyncio.create_subprocess_exec("/bin/cat", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
    answer = (await process.communicate(b"asynchronous"))[0]
    loop = asyncio.get_running_loop()
    return answer, await loop.run_in_executor(None, os.getpid), await asyncio.gather(*(asyncio.sleep(0.001, n) for n in range(5)))


assert asyncio.run(talk()) == (b"asynchronous", os.getpid(), [0, 1, 2, 3, 4])
print("ok")
