// What a person does with a program: writes it, runs it, stops it, reads what became of it.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ended, gateway, open, printed, python, run, screenshot, withPage, write } from './browser.mjs';

test('ControlEnterRunsWhatWasTyped', () => withPage(async (page) => {
  await write(page, 'print(6 * 7)');
  await page.keyboard.press('Control+Enter');
  assert.equal(await ended(page), 'Finished.');
  assert.equal(await printed(page, 'stdout'), '42\n');
}));

test('BothStreamsAreToldApart', () => withPage(async (page) => {
  await open(page, python('import sys\nprint("out")\nprint("err", file=sys.stderr)\nsys.exit(3)\n'));
  assert.equal(await run(page), 'Finished with exit code 3.');
  assert.equal(await printed(page, 'stdout'), 'out\n');
  assert.equal(await printed(page, 'stderr'), 'err\n');
  await page.getByLabel('Errors').check();
  assert.equal((await page.locator('#output').innerText()).trim(), 'err');
  await page.getByLabel('Output', { exact: true }).check();
  assert.equal((await page.locator('#output').innerText()).trim(), 'out');
}));

test('ArgumentsAndStandardInputReachTheProgram', () => withPage(async (page) => {
  await write(page, 'import sys; print(sys.argv[1:], sys.stdin.read())');
  await page.locator('#args').fill('one "two three" \'four\'');
  await page.locator('#stdin').fill('from the page ü');
  assert.equal(await run(page), 'Finished.');
  assert.equal(await printed(page, 'stdout'), "['one', 'two three', 'four'] from the page ü\n");
}));

test('AnOpenQuoteInTheArgumentsIsTold', () => withPage(async (page) => {
  await page.locator('#args').fill('"never closed');
  assert.match(await run(page), /The arguments end inside of "/);
}));

test('StopEndsAnEndlessLoop', () => withPage(async (page) => {
  await open(page, python('print("going", flush=True)\nwhile True: pass\n'));
  await page.locator('#run').click();
  await page.locator('#output', { hasText: 'going' }).waitFor();
  await page.locator('#stop').click();
  assert.equal(await ended(page), 'Stopped by you.');
  assert.ok(await page.locator('#stop').isDisabled());
}));

test('ShiftEscapeStops', () => withPage(async (page) => {
  await open(page, python('print("going", flush=True)\nwhile True: pass\n'));
  await page.locator('#run').click();
  await page.locator('#output', { hasText: 'going' }).waitFor();
  await page.keyboard.press('Shift+Escape');
  assert.equal(await ended(page), 'Stopped by you.');
}));

test('AMemoryLimitIsToldInPlainWords', () => withPage(async (page) => {
  await open(page, python('x = bytearray(4 << 30)\nfor i in range(0, len(x), 4096): x[i] = 1\n'));
  assert.match(await run(page), /^Stopped: it used all of its \d+ MiB of memory\.$/);
  assert.match(await page.locator('.gauge', { hasText: 'Memory' }).textContent(), /\d+ MiB of \d+ MiB/);
  await screenshot(page, 'memory-limit');
}));

test('WhatDoesNotCompileShowsTheCompilersWords', () => withPage(async (page) => {
  await open(page, { profile: 'c', files: [['main.c', 'int main(void) { return nothing; }\n']] });
  assert.equal(await run(page), 'It does not compile.');
  assert.match(await printed(page, 'compile'), /main\.c:1:\d+: error: .*nothing.* undeclared/);
  await screenshot(page, 'compile-error');
}));

test('ARefusedCallIsExplained', () => withPage(async (page) => {
  await open(page, python('import socket\ntry:\n    socket.socket()\nexcept OSError as error:\n    print(error)\n'));
  assert.equal(await run(page), 'Finished.');
  const denials = page.locator('.denials');
  assert.match(await denials.textContent(), /socket\(AF_INET, .*\) was refused/);
  assert.ok((await denials.locator('p').first().textContent()).length > 20);
  await screenshot(page, 'denial');
}));

test('TheIsolationInForceIsShownOnDemand', () => withPage(async (page) => {
  assert.equal(await run(page), 'Finished.');
  const isolation = page.locator('.isolation');
  assert.equal(await isolation.locator('table').isVisible(), false);
  await isolation.locator('summary').click();
  assert.match(await isolation.textContent(), /no_new_privs/);
  assert.match(await isolation.textContent(), /read from the kernel/);
  await screenshot(page, 'isolation');
}));

test('SeveralFilesGoWithARun', () => withPage(async (page) => {
  await page.locator('#add-file').click();
  await page.locator('.rename').fill('data/words.txt');
  await page.keyboard.press('Enter');
  await page.keyboard.insertText('a word');
  await page.getByRole('tab', { name: 'main.py' }).click();
  await write(page, 'print(open("data/words.txt").read())');
  assert.equal(await run(page), 'Finished.');
  assert.equal(await printed(page, 'stdout'), 'a word\n');
  await page.getByRole('tab', { name: 'data/words.txt' }).click();
  await page.keyboard.press('Delete');
  assert.equal(await page.getByRole('tab').count(), 1);
}));

test('TabsAreWalkedAndRenamedByTheKeyboard', () => withPage(async (page) => {
  await page.locator('#add-file').click();
  await page.keyboard.press('Enter');
  await page.locator('#tab-1').focus();
  await page.keyboard.press('ArrowRight');
  assert.equal(await page.locator('[role=tab][aria-selected=true]').textContent(), 'main.py');
  await page.keyboard.press('Delete');  // the program itself stays
  assert.equal(await page.getByRole('tab').count(), 2);
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('F2');
  await page.keyboard.insertText('renamed.txt');
  await page.keyboard.press('Escape');
  await page.locator('#tab-1').dblclick();
  await page.locator('.rename').fill('by-mouse.txt');
  await page.keyboard.press('Enter');
  assert.deepEqual(await page.getByRole('tab').allTextContents(), ['main.py', 'by-mouse.txt']);
}));

test('ABadNameOfAFileIsRefused', () => withPage(async (page) => {
  await page.locator('#add-file').click();
  await page.locator('.rename').fill('../outside');
  await page.keyboard.press('Enter');
  assert.match(await page.locator('#notice').textContent(), /relative/);
  assert.equal(await page.getByRole('tab').last().textContent(), 'file1.txt');
}));

test('ARefusedRequestSaysWhatIsWrong', () => withPage(async (page) => {
  await page.locator('#args').fill('x '.repeat(1_025));
  assert.match(await run(page), /^Refused: .*args/);
}, { expectErrors: true }));

test('AReloadKeepsTheProgram', () => withPage(async (page) => {
  await write(page, 'print("kept")');
  await page.reload();
  await page.locator('#language:enabled').waitFor();
  assert.equal(await run(page), 'Finished.');
  assert.equal(await printed(page, 'stdout'), 'kept\n');
}));

test('LeavingThePageEndsTheRun', () => withPage(async (page) => {
  await open(page, python('print("going", flush=True)\nimport time\ntime.sleep(9)\n'));
  await page.locator('#run').click();
  await page.locator('#output', { hasText: 'going' }).waitFor();
  const { runs } = await (await fetch(`${gateway}/v1/runs?page_size=1`)).json();
  await page.goto('about:blank');
  const events = await (await fetch(`${gateway}/v1/${runs[0].name}:follow`)).text();
  assert.match(events, /^event: finished\nid: end\ndata: .*"verdict":"CANCELED"/m);
}, { expectErrors: true }));
