trap 'echo leaving' EXIT
(exit 3) || echo "inner $?"
absent-command 2>/dev/null || echo "not found $?"
exit 7
