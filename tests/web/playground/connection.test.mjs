// The connection breaks while a program runs, and comes back.
import assert from 'node:assert/strict';
import net from 'node:net';
import { test } from 'node:test';

import { ended, gateway, open, printed, python, withPage } from './browser.mjs';

/** A proxy of bytes that can be cut. Its port is another one, which the page takes for its gateway's. */
async function cuttable() {
  const { hostname, port } = new URL(gateway);
  const open = new Set();
  let refusing = false;
  const server = net.createServer((client) => {
    if (refusing) return client.destroy();
    const behind = net.connect(Number(port), hostname);
    for (const [one, other] of [[client, behind], [behind, client]]) {
      open.add(one);
      one.pipe(other);
      one.on('error', () => undefined);
      one.on('close', () => {
        open.delete(one);
        other.destroy();
      });
    }
    return undefined;
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    base: `http://127.0.0.1:${server.address().port}`,
    cut() {
      refusing = true;
      for (const socket of open) socket.destroy();
    },
    mend() {
      refusing = false;
    },
    close: () => new Promise((resolve) => {
      server.close(resolve);
      for (const socket of open) socket.destroy();
    }),
  };
}

test('ABrokenConnectionIsTakenUpWhereItWas', async () => {
  const proxy = await cuttable();
  try {
    await withPage(async (page) => {
      // It waits for nobody: what it prints while the connection is down must still come.
      await open(page, python('import time\nfor i in range(40):\n    print("line", i, flush=True)\n    time.sleep(0.1)\n'));
      await page.locator('#run').click();
      await page.locator('#output', { hasText: 'line 3' }).waitFor();
      proxy.cut();
      await page.locator('#state', { hasText: 'The connection was lost' }).waitFor();
      proxy.mend();
      assert.equal(await ended(page), 'Finished.');
      assert.equal(await printed(page, 'stdout'), Array.from({ length: 40 }, (_, i) => `line ${i}\n`).join(''));
    }, { base: proxy.base, expectErrors: true });
  } finally {
    await proxy.close();
  }
});

test('AGatewayThatIsGoneIsTold', async () => {
  const proxy = await cuttable();
  try {
    await withPage(async (page) => {
      proxy.cut();
      await page.locator('#run').click();
      assert.match(await ended(page), /the gateway cannot be reached/);
    }, { base: proxy.base, expectErrors: true });
  } finally {
    await proxy.close();
  }
});
