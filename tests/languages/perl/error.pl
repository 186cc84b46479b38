use strict;
use warnings;
use Carp qw(confess);

sub inner { confess "nothing is there" unless $_[0]->{missing} }
sub outer { inner({}) }
outer();
