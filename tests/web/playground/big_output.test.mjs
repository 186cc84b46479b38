// A megabyte of output leaves the page alive.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ended, open, patience, printed, python, withPage } from './browser.mjs';

const LINES = 10_000;
const PROGRAM = `import sys
for number in range(${LINES}):
    print(f"{number:06} out " + "x" * 39)
    print(f"{number:06} err " + "y" * 39, file=sys.stderr)
`;

test('AMegabyteOnTwoStreamsDoesNotFreezeThePage', () => withPage(async (page) => {
  await open(page, python(PROGRAM));
  // The longest time in which the page drew nothing, and how long each key took to reach the editor.
  await page.evaluate(() => {
    globalThis.longest = 0;
    let last = performance.now();
    const look = (now) => {
      globalThis.longest = Math.max(globalThis.longest, now - last);
      last = now;
      requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  });
  await page.locator('#run').click();
  const delays = [];
  await page.locator('#args').focus();
  while (delays.length < 20 || await page.locator('#run:enabled').count() === 0) {
    const before = performance.now();
    await page.keyboard.press('a');
    delays.push(performance.now() - before);
    await page.keyboard.press('Backspace');
  }
  assert.equal(await ended(page), 'Finished.');
  for (const [kind, word] of [['stdout', 'out'], ['stderr', 'err']]) {
    const lines = (await printed(page, kind)).trimEnd().split('\n');
    assert.equal(lines.length, LINES);
    lines.forEach((line, number) => assert.ok(line.startsWith(`${String(number).padStart(6, '0')} ${word} `), line));
  }
  const longest = await page.evaluate(() => globalThis.longest);
  delays.sort((one, other) => one - other);
  console.log(`# input delay: median ${delays[delays.length >> 1]?.toFixed(0)} ms, longest ${delays.at(-1)?.toFixed(0)} ms of ${delays.length} keys; ` +
              `longest time without a frame ${longest.toFixed(0)} ms`);
  // Not a speed: a page that is laid out anew for each piece of output stands still for tens of seconds.
  assert.ok(longest < 3_000 * patience, `no frame for ${longest} ms`);
}));

test('ALineWithoutAnEndIsShownToo', () => withPage(async (page) => {
  await open(page, python('import sys\nsys.stdout.write("z" * 900_000)\n'));
  await page.locator('#run').click();
  assert.equal(await ended(page), 'Finished.');
  assert.equal((await printed(page, 'stdout')).length, 900_000);
}));
