// Every language that the server has says hello.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { gateway, printed, run, withPage } from './browser.mjs';

const { profiles } = await (await fetch(`${gateway}/v1/profiles`)).json();
const languages = profiles.filter(({ hello_program, available }) => hello_program !== '' && available);

test('SeveralLanguagesAreHere', () => {
  assert.ok(languages.length >= 10, String(languages.map(({ name }) => name)));
});

for (const { name, variant_of: variantOf } of languages) {
  if (variantOf !== '') continue;
  test(`HelloOf ${name}`, () => withPage(async (page) => {
    await page.locator('#language').selectOption(name);
    assert.equal(await run(page), 'Finished.');
    assert.equal(await printed(page, 'stdout'), 'Hello from Caisson\n');
  }));
}
