<?php
function inner(array $values): int
{
    return strlen($values['missing']['deeper'] ?? throw new DomainException('nothing is there'));
}

function outer(): int
{
    return inner([]);
}

outer();
