// A browser for the tests of one file, and the page in it. Every page fails its test when it logs an error, throws, breaks its
// own Content-Security-Policy or asks anybody but its gateway for anything.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before } from 'node:test';

const clients = createRequire(new URL('../../../clients/playground/package.json', import.meta.url));
const { chromium } = clients('playwright-core');
const axeSource = readFileSync(clients.resolve('axe-core/axe.min.js'), 'utf8');

export const gateway = process.env.CAISSON_GATEWAY;
/** Machines that are ten times slower say so here. */
export const patience = Number(process.env.CAISSON_TEST_PATIENCE ?? 1);
export const WAIT_MS = 30_000 * patience;

let browser;

before(async () => {
  // The tests run as root, where Chromium's own sandbox refuses to. The page under test is our own.
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'] });
});

after(async () => {
  await browser?.close();
});

/** Runs `test` with a fresh page. `options`: of the browser's context; `base`: a gateway before the gateway; `hash`: a link's fragment. */
export async function withPage(test, { base = gateway, hash = '', expectErrors = false, isReady = true, ...options } = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, colorScheme: 'light', ...options });
  const wrong = [];
  const page = await context.newPage();
  page.setDefaultTimeout(WAIT_MS);
  page.on('console', (message) => {
    if (message.type() === 'error') wrong.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => wrong.push(`thrown: ${error.stack}`));
  page.on('request', (request) => {
    if (!/^(data|blob):/.test(request.url()) && !request.url().startsWith(`${base}/`)) wrong.push(`asked for ${request.url()}`);
  });
  try {
    await page.goto(`${base}/${hash === '' ? '' : `#${hash}`}`);
    if (isReady) await page.locator('#language:enabled').waitFor();
    await test(page, context);
    if (!expectErrors) assert.deepEqual(wrong, []);
  } finally {
    await context.close();
  }
}

/** Replaces the program in the editor. */
export async function write(page, text) {
  await page.locator('.cm-content').click();
  await page.keyboard.press('Control+A');
  await page.keyboard.insertText(text);
}

/** The program's text as a link has it: what typing would do with indents and brackets is another test's. */
export async function open(page, program) {
  const json = JSON.stringify({ p: program.profile, f: program.files, a: program.args, i: program.stdin, t: program.terminal ? 1 : undefined });
  const hash = await page.evaluate(async (text) => {
    const stream = new Blob([text]).stream().pipeThrough(new CompressionStream('deflate-raw'));
    const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
    return btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
  }, json);
  await page.evaluate((fragment) => {
    location.hash = fragment;
  }, `v1.${hash}`);
  await page.locator('#notice', { hasText: 'came with the link' }).waitFor();
}

export const python = (text, more = {}) => ({ profile: 'python', files: [['main.py', text]], ...more });

/** Runs what stands there, and how it ended in the page's words. */
export async function run(page) {
  await page.locator('#run').click();
  return ended(page);
}

export async function ended(page) {
  await page.locator('#state:is([data-kind="good"], [data-kind="bad"])').waitFor();
  await page.locator('#run:enabled').waitFor();
  return page.locator('#state').textContent();
}

export async function printed(page, kind) {
  const texts = await page.locator(`#output .${kind}`).allTextContents();
  return texts.join('');
}

/** What axe finds wrong. */
export async function violations(page) {
  // Not by a script element: the page's policy would refuse it.
  await page.evaluate(axeSource);
  const found = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
  return found.violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => `${node.target.join(' ')} ${node.failureSummary}`).join('; ')}`);
}

export async function screenshot(page, name) {
  if (process.env.CAISSON_SCREENSHOTS) {
    await page.screenshot({ path: path.join(process.env.CAISSON_SCREENSHOTS, `${name}.png`), fullPage: true });
  }
}
