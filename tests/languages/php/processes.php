<?php
// Child processes, pipes, signals (Debian's php-cli brings pcntl and posix), fibers, time.
declare(strict_types=1);

function check(bool $condition): void
{
    $condition || throw new Exception('not so');
}

check(shell_exec("printf 'b\\na\\n' | sort | tr a-z A-Z") === "A\nB\n");
exec('echo one; echo two; exit 3', $lines, $code);
check($lines === ['one', 'two'] && $code === 3);
$process = proc_open(['/bin/sh', '-c', 'read line; echo got $line; echo err >&2; exit 4'], [['pipe', 'r'], ['pipe', 'w'], ['pipe', 'w']], $pipes);
fwrite($pipes[0], "it\n");
fclose($pipes[0]);
check(stream_get_contents($pipes[1]) === "got it\n" && stream_get_contents($pipes[2]) === "err\n");
check(proc_close($process) === 4);
$sort = popen('sort', 'w');
pclose($sort);
check(escapeshellarg("a'b") === "'a'\\''b'");

$pair = stream_socket_pair(STREAM_PF_UNIX, STREAM_SOCK_STREAM, 0);
$child = pcntl_fork();
if ($child === 0) {
    fwrite($pair[0], 'forked');
    posix_kill(posix_getpid(), SIGKILL);
}
check(fread($pair[1], 6) === 'forked');
pcntl_waitpid($child, $status);
check(pcntl_wifsignaled($status) && pcntl_wtermsig($status) === SIGKILL);
pcntl_async_signals(true);
$arrived = 0;
pcntl_signal(SIGUSR1, function () use (&$arrived) { $arrived++; });
pcntl_signal(SIGALRM, function () use (&$arrived) { $arrived++; });
posix_kill(posix_getpid(), SIGUSR1);
pcntl_alarm(1);
while ($arrived < 2) {
    usleep(10_000);
}
check(posix_getpwuid(posix_getuid())['name'] === 'box' && posix_uname()['nodename'] === 'caisson');

$fiber = new Fiber(function (int $a): int { $b = Fiber::suspend($a * 2); return $b + 1; });
check($fiber->start(4) === 8);
$fiber->resume(9);
check($fiber->getReturn() === 10);
check(hrtime(true) > 0 && microtime(true) > 1e9 && getrusage()['ru_utime.tv_usec'] >= 0 && time_nanosleep(0, 1_000_000));
echo "ok\n";
