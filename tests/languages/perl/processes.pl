# Processes, pipes, signals, timers, threads.
use strict;
use warnings;
use threads;
use threads::shared;
use Thread::Queue;
use IPC::Open3;
use POSIX qw(:sys_wait_h :signal_h setsid);
use Time::HiRes qw(usleep ualarm time);
use Symbol 'gensym';

sub check { my ($condition, $what) = @_; die "not so: line " . (caller)[2] . "\n" unless $condition }

check(`printf 'b\\na\\n' | sort | tr a-z A-Z` eq "A\nB\n");
check(system("/bin/sh", "-c", "exit 3") >> 8 == 3);
check(system("/bin/true") == 0);
my $pid = open3(my $in, my $out, my $err = gensym, "/bin/sh", "-c", 'read line; echo got $line; echo err >&2');
print $in "it\n";
close $in;
check(<$out> eq "got it\n" && <$err> eq "err\n");
waitpid $pid, 0;
pipe(my $reader, my $writer) or die;
my $child = fork // die "fork: $!";
if (!$child) { close $reader; setsid(); print $writer "forked"; close $writer; POSIX::_exit(5) }
close $writer;
check(<$reader> eq "forked");
check(waitpid($child, 0) == $child && $? >> 8 == 5);
open(my $sort, "|-", "sort > /tmp/sorted") or die;
print $sort "b\na\n";
close $sort;
open(my $cat, "<", "/tmp/sorted") or die;
check(join("", <$cat>) eq "a\nb\n");

my %arrived;
local $SIG{USR1} = sub { $arrived{usr1}++ };
local $SIG{ALRM} = sub { $arrived{alarm}++ };
kill USR1 => $$;
ualarm(10_000);
usleep(1_000) until $arrived{usr1} && $arrived{alarm};
my $slept = eval { local $SIG{ALRM} = sub { die "late\n" }; alarm 1; select(undef, undef, undef, 30); 1 };
check(!$slept && $@ eq "late\n");

my $count : shared = 0;
my $queue = Thread::Queue->new(1 .. 100);
$queue->end;
my @threads = map { threads->create(sub { while (defined(my $n = $queue->dequeue)) { lock $count; $count += $n } threads->tid }) } 1 .. 4;
my %ids = map { $_->join => 1 } @threads;
check($count == 5050 && keys %ids == 4);
my ($user, $system) = times;
check(defined $user && time > 1e9 && getppid >= 0 && (getpwuid $<)[0] eq "box");
print "ok\n";
