// Ends by V8's own limit, with its own message, before the kernel's.
const kept = [];
for (;;) {
  kept.push(new Array(100_000).fill(Math.random()));
}
