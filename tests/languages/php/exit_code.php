<?php
register_shutdown_function(fn () => print "leaving\n");
exit(7);
