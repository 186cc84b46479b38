// Line by line, as most programs on judges read.
const readline = require('readline');

(async () => {
  let count = 0;
  let sum = 0;
  for await (const line of readline.createInterface({ input: process.stdin })) {
    for (const word of line.split(' ').filter(Boolean)) {
      if (!Number.isNaN(Number(word))) {
        count += 1;
        sum += Number(word);
      }
    }
  }
  process.stdout.write(`numbers: ${count} numbers, sum ${sum}\n`);
})();
