// Programs that are talked to, in the page's terminal.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ended, open, python, screenshot, withPage } from './browser.mjs';

/** What the terminal shows: its mirror for screen readers has it as text. */
async function shows(page, text) {
  await page.locator('#terminal .xterm-accessibility', { hasText: text }).waitFor({ state: 'attached' });
}

async function start(page, text, more = {}) {
  await open(page, python(text, { terminal: true, ...more }));
  await page.locator('#run').click();
}

test('AProgramAsksAndIsAnswered', () => withPage(async (page) => {
  await start(page, 'name = input("Who are you? ")\nprint(f"\\x1b[32mHello, {name}!\\x1b[0m")\n');
  await shows(page, 'Who are you?');
  await page.keyboard.type('Ada');
  await page.keyboard.press('Enter');
  assert.equal(await ended(page), 'Finished.');
  await shows(page, 'Hello, Ada!');
  await screenshot(page, 'terminal');
}));

test('TheTerminalsSizeIsTheProgramsAndFollowsTheWindow', () => withPage(async (page) => {
  await start(page, 'import os, signal\nsignal.signal(signal.SIGWINCH, lambda *_: os.write(1, b"now %d %d\\n" % os.get_terminal_size()))\n' +
    'print("first", *os.get_terminal_size())\ninput()\n');
  await shows(page, /first \d+ \d+/);
  const text = await page.locator('#terminal .xterm-accessibility').textContent();
  const [, columns] = /first (\d+) \d+/.exec(text);
  assert.ok(Number(columns) > 40, columns);
  await page.setViewportSize({ width: 900, height: 700 });
  await shows(page, /now \d+ \d+/);
  await page.keyboard.press('Enter');
  assert.equal(await ended(page), 'Finished.');
}));

test('ControlCInterrupts', () => withPage(async (page) => {
  await start(page, 'try:\n  input("waiting")\nexcept KeyboardInterrupt:\n  print("interrupted")\n');
  await shows(page, 'waiting');
  await page.keyboard.press('Control+C');
  await shows(page, 'interrupted');
  assert.equal(await ended(page), 'Finished.');
}));

test('ControlDEndsTheInput', () => withPage(async (page) => {
  await start(page, 'import sys\nprint("ready")\nprint(len(sys.stdin.read()))\n');
  await shows(page, 'ready');
  await page.keyboard.press('Control+D');
  assert.equal(await ended(page), 'Finished.');
}));

test('StopEndsAProgramInATerminal', () => withPage(async (page) => {
  await start(page, 'input("waiting")\n');
  await shows(page, 'waiting');
  await page.locator('#stop').click();
  assert.equal(await ended(page), 'Stopped by you.');
}));

test('ASecondProgramFindsAnEmptyTerminal', () => withPage(async (page) => {
  await start(page, 'print("first one")\n');
  await shows(page, 'first one');
  await ended(page);
  await open(page, python('print("second one")\n', { terminal: true }));
  await page.locator('#run').click();
  await shows(page, 'second one');
  assert.equal(await ended(page), 'Finished.');
  assert.doesNotMatch(await page.locator('#terminal .xterm-accessibility').textContent(), /first one/);
}));

test('WhatDoesNotCompileIsShownBesideTheTerminal', () => withPage(async (page) => {
  await open(page, { profile: 'c', files: [['main.c', 'int main(void) { return nothing; }\n']], terminal: true });
  await page.locator('#run').click();
  assert.equal(await ended(page), 'It does not compile.');
  assert.match(await page.locator('.diagnostics').textContent(), /undeclared/);
}));
