<?php
// Ends by PHP's own limit, which follows the run's.
$kept = [];
while (true) {
    $kept[] = str_repeat('x', 1_000_000);
}
