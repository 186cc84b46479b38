// The page as such: links, small screens, colours, accessibility, what it may load.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { gateway, open, printed, python, run, screenshot, violations, withPage, write } from './browser.mjs';

const SHOW = python(`import sys, time

def primes(limit):
    sieve = bytearray([1]) * limit
    for n in range(2, limit):
        if sieve[n]:
            yield n
            sieve[n * n::n] = bytes(len(sieve[n * n::n]))

print(sum(primes(200_000)))
print("a warning", file=sys.stderr)
`);

test('AShareLinkHoldsTheWholeProgramAndDoesNotRunIt', () => withPage(async (page, context) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await write(page, 'print("shared ✓", input())');
  await page.locator('#stdin').fill('line');
  await page.locator('#share').click();
  await page.locator('#notice', { hasText: 'nothing was stored' }).waitFor();
  const link = await page.evaluate(() => navigator.clipboard.readText());
  assert.match(link, new RegExp(`^${gateway}/#v1\\.[\\w-]+$`));
  await withPage(async (other) => {
    assert.match(await other.locator('#notice').textContent(), /Have a look at it before you run it/);
    assert.equal(await other.locator('#state').textContent(), 'Not run yet. Ctrl+Enter runs.');
    assert.equal(await run(other), 'Finished.');
    assert.equal(await printed(other, 'stdout'), 'shared ✓ line\n');
  }, { hash: new URL(link).hash.slice(1) });
}));

for (const [what, hash] of [['OfAnotherKind', 'hello'], ['Damaged', 'v1.AAAA'], ['NotBase64', 'v1.%%%']]) {
  test(`ALinkThatIs${what}IsTold`, () => withPage(async (page) => {
    assert.match(await page.locator('#notice').textContent(), /^The link cannot be opened: /);
    assert.equal(await run(page), 'Finished.');
  }, { hash }));
}

test('ALinkThatUnpacksToGigabytesIsTold', () => withPage(async (page) => {
  const hash = await page.evaluate(async () => {
    const zeros = new ReadableStream({
      start(controller) {
        for (let count = 0; count < 64; ++count) controller.enqueue(new Uint8Array(1 << 20));
        controller.close();
      },
    });
    const bytes = new Uint8Array(await new Response(zeros.pipeThrough(new CompressionStream('deflate-raw'))).arrayBuffer());
    return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join('')).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
  });
  await page.evaluate((fragment) => {
    location.hash = fragment;
  }, `v1.${hash}`);
  await page.locator('#notice', { hasText: 'a link that is too large' }).waitFor();
}));

test('ALinkWithMarkupShowsItAsText', () => withPage(async (page) => {
  const markup = '<img src=x onerror=alert(1)>';
  await open(page, { profile: 'python', files: [[markup, `print(${JSON.stringify(markup)})`]] });
  assert.equal(await page.getByRole('tab').textContent(), markup);
  assert.equal(await run(page), 'Finished.');
  assert.equal(await printed(page, 'stdout'), `${markup}\n`);
  assert.equal(await page.locator('img[src="x"]').count(), 0);
}));

for (const [name, options] of [
  ['Light', {}],
  ['Dark', { colorScheme: 'dark' }],
  ['OnAPhone', { viewport: { width: 360, height: 740 }, hasTouch: true }],
]) {
  test(`${name}NothingIsInaccessible`, () => withPage(async (page) => {
    assert.deepEqual(await violations(page), []);
    await open(page, SHOW);
    assert.equal(await run(page), 'Finished.');
    await page.locator('.isolation summary').click();
    assert.deepEqual(await violations(page), []);
    await page.locator('.isolation summary').click();
    const { scroll, width } = await page.evaluate(() => ({ scroll: document.documentElement.scrollWidth, width: innerWidth }));
    assert.ok(scroll <= width, `${scroll} > ${width}: the page scrolls sideways`);
    await screenshot(page, `playground-${name.toLowerCase()}`);
  }, options));
}

test('TheButtonTurnsColoursAndTheyStay', () => withPage(async (page) => {
  const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await background();
  await page.getByRole('button', { name: 'Use dark colours' }).click();
  const dark = await background();
  assert.notEqual(dark, light);
  await page.reload();
  await page.getByRole('button', { name: 'Use light colours' }).waitFor();
  assert.equal(await background(), dark);
}));

test('EveryControlIsReachedByTheKeyboard', () => withPage(async (page) => {
  const reached = new Set();
  await page.locator('#language').focus();
  for (let count = 0; count < 30; ++count) {
    reached.add(await page.evaluate(() => document.activeElement.id || document.activeElement.name));
    await page.keyboard.press('Escape');  // leaves the editor, where Tab indents
    await page.keyboard.press('Tab');
  }
  for (const id of ['language', 'run', 'share', 'theme', 'tab-0', 'add-file', 'editor', 'mode', 'args', 'stdin', 'streams', 'copy', 'output']) {
    assert.ok(reached.has(id), `${id} is not reached: ${[...reached]}`);
  }
}));

test('ThePageMayLoadNothingFromElsewhere', async () => {
  const answer = await fetch(`${gateway}/`);
  const policy = answer.headers.get('content-security-policy');
  assert.match(policy, /default-src 'none'/);
  assert.match(policy, /script-src 'self'(;|$)/);
  assert.match(policy, /style-src 'self'(;|$)/);
  assert.match(policy, /connect-src 'self'(;|$)/);
  assert.doesNotMatch(await answer.text(), /(src|href)="(https?:)?\/\//);
});
