# Text, numbers, dates, hashes, random numbers, local sockets.
use strict;
use warnings;
use utf8;
use Data::Dumper;
use Digest::SHA qw(sha256_hex hmac_sha256_hex);
use Encode qw(encode decode);
use Hash::Util;
use IO::Select;
use IO::Socket::UNIX;
use JSON::PP;
use List::Util qw(sum0 reduce shuffle uniq first);
use Math::BigFloat;
use Math::BigInt;
use MIME::Base64;
use POSIX qw(strftime setlocale LC_ALL floor);
use Scalar::Util qw(weaken blessed);
use Socket;
use Sys::Hostname;
use Text::Wrap;
use Time::Local;
use Time::Piece;
use Unicode::Normalize;

sub check { die "not so: line " . (caller)[2] . "\n" unless $_[0] }

my $json = JSON::PP->new->utf8->canonical;
check($json->encode($json->decode('{"b":[1,2.5,null,true],"a":"x"}')) eq '{"a":"x","b":[1,2.5,null,true]}');
(my $text = 'me@home you@work') =~ s/(\w+)@(?<place>\w+)/$+{place} at $1/g;
check($text eq 'home at me work at you' && length NFD("é") == 2 && uc "ü" eq "Ü" && encode("ISO-8859-1", "ü") eq "\xfc");
check("aaa" =~ /^(a)(?1)*$/ && join(",", sort { $b <=> $a } 3, 10, 2) eq "10,3,2" && sprintf("%05.1f|%-4s|%x", 3.14159, "ab", 255) eq "003.1|ab  |ff");
check(Math::BigInt->new(3)->bpow(5000)->bmod(1_000_007) == Math::BigInt->new(3)->bmodpow(5000, 1_000_007));
check(Math::BigFloat->new("0.1") * 3 == Math::BigFloat->new("0.3") && sum0(1 .. 100) == 5050 && (reduce { $a * $b } 1 .. 5) == 120);
$ENV{TZ} = "Europe/Berlin";
POSIX::tzset();
check(strftime("%A %H:%M %Z", localtime timegm(0, 0, 10, 1, 6, 2024)) eq "Monday 12:00 CEST");
check(Time::Piece->strptime("2024-02-29", "%Y-%m-%d")->yday == 59);
setlocale(LC_ALL, "") or die;
check(sha256_hex("") =~ /^e3b0c442/ && length hmac_sha256_hex("m", "k") == 64 && decode_base64(encode_base64("x")) eq "x");
srand 1;
my @values = map { rand } 1 .. 200_000;
my @sorted = sort { $a <=> $b } @values;
check($sorted[0] <= $sorted[-1] && uniq(map { int $_ * 10 } @values) == 10 && @{[shuffle 1 .. 10]} == 10);
my %table = map { $_ => $_ ** 2 } 1 .. 100_000;
check($table{1000} == 1_000_000 && scalar keys %table == 100_000);
local $Data::Dumper::Indent = 0;
check(Dumper([1, { a => 2 }]) eq "\$VAR1 = [1,{'a' => 2}];");
{ no warnings 'recursion'; sub deep { my $n = shift; $n ? 1 + deep($n - 1) : 0 } check(deep(20_000) == 20_000) }

socketpair(my $left, my $right, AF_UNIX, SOCK_STREAM, PF_UNSPEC) or die;
syswrite $left, "pair";
sysread($right, my $got, 10);
check(IO::Select->new($left)->can_write(5) && $got eq "pair");
my $server = IO::Socket::UNIX->new(Local => "/tmp/server", Listen => 1) or die "$!";
my $child = fork // die;
if (!$child) { my $s = $server->accept; print $s scalar <$s>; close $s; POSIX::_exit(0) }
my $client = IO::Socket::UNIX->new(Peer => "/tmp/server") or die "$!";
print $client "echo\n";
check(<$client> eq "echo\n");
waitpid $child, 0;
check(hostname() eq "caisson" && !-t STDOUT && $^O eq "linux");
print "ok\n";
