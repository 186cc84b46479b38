// Every example of the client's README, in order, in one program each with those before it; what it prints is what the page says.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, mkdirSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const client = fileURLToPath(new URL('../../../clients/typescript', import.meta.url));
const page = readFileSync(path.join(client, 'README.md'), 'utf8');
const pairs = [...page.matchAll(/```js\n(.*?)```\n\n```output\n(.*?)```/gs)].map(([, code, output]) => ({ code, output }));
const place = mkdtempSync(path.join(os.tmpdir(), 'caisson-readme-'));
mkdirSync(path.join(place, 'node_modules'));
symlinkSync(client, path.join(place, 'node_modules', 'caisson'));
after(() => rmSync(place, { recursive: true }));

test('ThePageHasItsExamples', () => {
  assert.equal(pairs.length, 5);
  assert.equal([...page.matchAll(/^```js$/gm)].length, pairs.length);
});

pairs.forEach(({ code, output }, index) => {
  test(`Example${index + 1}PrintsWhatThePageSays`, () => {
    const begin = index === 0 ? '' : pairs[0].code.replace(/\nconst answer[^]*/, '\n');
    const file = path.join(place, `example${index}.mjs`);
    writeFileSync(file, begin + code);
    const printed = execFileSync('node', [file], { encoding: 'utf8' });
    const lines = (text) => text.split('\n').map((line) => line.trimEnd()).filter((line) => line !== '');
    assert.deepEqual(lines(printed), lines(output));
  });
});
