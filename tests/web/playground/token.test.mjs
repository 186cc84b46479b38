// Before a daemon that asks for tokens.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { open, printed, python, run, violations, withPage, write } from './browser.mjs';

const base = process.env.CAISSON_TOKEN_GATEWAY;

async function show(page, token) {
  await page.getByLabel('Token').fill(token);
  await page.getByRole('button', { name: 'Use it' }).click();
}

test('ThePageAsksForATokenAndRunsWithIt', () => withPage(async (page) => {
  await page.locator('#state', { hasText: 'This server asks for a token.' }).waitFor();
  assert.deepEqual(await violations(page), []);
  await show(page, process.env.CAISSON_TOKEN);
  await page.locator('#language:enabled').waitFor();
  await write(page, 'print("let in")');
  assert.equal(await run(page), 'Finished.');
  assert.equal(await printed(page, 'stdout'), 'let in\n');
  await open(page, python('print("in a terminal")', { terminal: true }));
  assert.equal(await run(page), 'Finished.');
  await page.reload();
  await page.locator('#language:enabled').waitFor();
  assert.equal(await page.locator('#token-form').isHidden(), true);
}, { base, isReady: false, expectErrors: true }));

test('ATokenThatDoesNotHoldIsAskedForAgain', () => withPage(async (page) => {
  await show(page, 'caisson_0123456789ab_' + 'A'.repeat(43));
  await page.locator('#state', { hasText: 'Refused' }).waitFor();
  assert.equal(await page.locator('#token-form').isVisible(), true);
  assert.equal(await page.locator('#run').isDisabled(), true);
}, { base, isReady: false, expectErrors: true }));

test('AnotherTabAsksAnew', () => withPage(async (page) => {
  await page.locator('#state', { hasText: 'This server asks for a token.' }).waitFor();
}, { base, isReady: false, expectErrors: true }));
