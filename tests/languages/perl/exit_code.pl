END { print "leaving\n" }
exit 7;
