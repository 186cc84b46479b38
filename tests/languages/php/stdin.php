<?php
$title = trim(fgets(STDIN));
$numbers = array_map('intval', preg_split('/\s+/', trim(stream_get_contents(STDIN))));
printf("%s: %d numbers, sum %d\n", $title, count($numbers), array_sum($numbers));
