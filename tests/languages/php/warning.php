<?php
echo $undefined ?? 'default', "\n";
echo 1 + (int) $argv[1], "\n";
echo $absent;
echo "still there\n";
