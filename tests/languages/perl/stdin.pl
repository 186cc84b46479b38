use strict;
use warnings;

chomp(my $title = <STDIN>);
my @numbers = map { split } <STDIN>;
my $sum = 0;
$sum += $_ for @numbers;
printf "%s: %d numbers, sum %d\n", $title, scalar @numbers, $sum;
