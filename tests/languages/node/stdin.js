const lines = require('fs').readFileSync(0, 'utf8').trim().split('\n');
const numbers = lines.slice(1).flatMap((line) => line.split(' ').map(Number));
console.log(`${lines[0]}: ${numbers.length} numbers, sum ${numbers.reduce((a, b) => a + b, 0)}`);
