// The client before a real gateway, in Node.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import { test } from 'node:test';

import { Caisson, ConnectionLost, Refused, bytesOf, textOf } from '../../../clients/typescript/dist/index.js';

const baseUrl = process.env.CAISSON_GATEWAY;
const caisson = new Caisson({ baseUrl, reconnectDelayMs: 20 });
const python = (text, more = {}) => ({ profile: 'python', files: [{ path: 'main.py', text }], ...more });

test('BytesThatAreNoTextComeAsTheyWere', async () => {
  const pieces = [];
  for await (const event of caisson.execute(python('import os; os.write(1, bytes(range(256)))'))) {
    if (event.event === 'output') pieces.push(...bytesOf(event.data));
  }
  assert.deepEqual(pieces, Array.from({ length: 256 }, (_, number) => number));
  assert.equal(textOf({ base64: btoa('\xff') }), '\ufffd');
});

test('WhoStopsListeningEndsTheRun', async () => {
  let name;
  for await (const event of caisson.execute(python('import time; time.sleep(9)'))) {
    if (event.event === 'accepted') name = event.data.name;
    if (event.event === 'started') break;
  }
  // A run of Execute cannot be followed; its record shows its end.
  let run;
  do {
    run = await caisson.get(name);
  } while (run.state !== 'FINISHED');
  assert.equal(run.result.verdict, 'CANCELED');
});

test('AnAbortedCallThrowsWhatItWasAbortedWith', async () => {
  const abort = new AbortController();
  const running = (async () => {
    for await (const event of caisson.execute(python('import time; time.sleep(9)'), { signal: abort.signal })) {
      if (event.event === 'started') abort.abort();
    }
  })();
  await assert.rejects(running, { name: 'AbortError' });
});

test('EveryViolationOfARequestIsInTheRefusal', async () => {
  const refused = await caisson.run('python', [{ path: '../x', text: '' }], { limits: { pids: 0 } }).catch((error) => error);
  assert.ok(refused instanceof Refused);
  assert.equal(refused.status, 400);
  assert.ok(refused.problem.violations.length >= 1);
});

test('AProgramWithoutAFilesNameGetsItsProfiles', async () => {
  const answer = await caisson.run('java', 'public class Main { public static void main(String[] a) { System.out.println("hi"); } }');
  assert.equal(answer.stdout, 'hi\n');
});

test('TheSameRequestIdIsTheSameRun', async () => {
  const request = python('print(1)', { request_id: `ts-${process.pid}` });
  const [one, other] = await Promise.all([caisson.create(request), caisson.create(request)]);
  assert.equal(one.name, other.name);
  await caisson.cancel(one.name);
});

test('NamesThatAreNoRunsAreRefusedBeforeTheyAreSent', async () => {
  await assert.rejects(caisson.get('runs/../server'), TypeError);
});

test('AListGoesThroughAllPages', async () => {
  const label = `list-${process.pid}`;
  const names = [];
  for (let count = 0; count < 3; ++count) names.push((await caisson.create(python('', { labels: { test: label } }))).name);
  const found = [];
  for await (const run of caisson.list(`labels.test = "${label}"`)) found.push(run.name);
  assert.deepEqual(found, names.reverse());
});

test('NobodyThereIsConnectionLost', async () => {
  const nowhere = new Caisson({ baseUrl: 'http://127.0.0.1:1' });
  await assert.rejects(nowhere.serverInfo(), ConnectionLost);
});

test('AProxysPageIsARefusalToo', async () => {
  const proxy = http.createServer((_, response) => response.writeHead(502).end('<html>')).listen(0, '127.0.0.1');
  await new Promise((resolve) => proxy.once('listening', resolve));
  const refused = await new Caisson({ baseUrl: `http://127.0.0.1:${proxy.address().port}` }).serverInfo().catch((error) => error);
  assert.ok(refused instanceof Refused);
  assert.equal(refused.status, 502);
  proxy.close();
});

test('AFollowerWhoseConnectionBreaksHasEveryByteOnce', async () => {
  // A proxy that ends each answer of :follow after some bytes, at another place each time.
  let cuts = 0;
  const proxy = http.createServer((request, response) => {
    const { hostname, port } = new URL(baseUrl);
    const behind = http.request({ hostname, port, path: request.url, method: request.method, headers: { ...request.headers, host: `${hostname}:${port}` } },
      (answer) => {
        response.writeHead(answer.statusCode, answer.headers);
        let left = 3_000 + 1_777 * cuts;
        answer.on('data', (data) => {
          if (cuts < 6 && request.url.includes(':follow') && (left -= data.length) < 0) {
            cuts += 1;
            response.write(data.subarray(0, data.length >> 1), () => response.destroy());
            behind.destroy();
          } else {
            response.write(data);
          }
        });
        answer.on('end', () => response.end());
        answer.on('error', () => undefined);
      });
    behind.on('error', () => response.destroy());
    request.pipe(behind);
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => proxy.once('listening', resolve));
  const far = new Caisson({ baseUrl: `http://127.0.0.1:${proxy.address().port}`, reconnectDelayMs: 5 });
  const run = await far.create(python('import sys\nfor i in range(9000):\n  print(i)\n  print(-i, file=sys.stderr)\n'));
  const text = { STREAM_STDOUT: '', STREAM_STDERR: '' };
  let reconnects = 0;
  for await (const event of far.follow(run.name, { onReconnect: () => (reconnects += 1) })) {
    if (event.event === 'output') text[event.data.stream] += textOf(event.data);
  }
  const numbers = Array.from({ length: 9000 }, (_, number) => number);
  assert.equal(text.STREAM_STDOUT, numbers.map((number) => `${number}\n`).join(''));
  assert.equal(text.STREAM_STDERR, numbers.map((number) => (number === 0 ? '0\n' : `-${number}\n`)).join(''));
  assert.equal(reconnects, 6);
  proxy.close();
});

test('TypesHaveTheNamesOfTheApi', () => {
  const proto = readFileSync(new URL('../../../proto/caisson/v1/run.proto', import.meta.url), 'utf8');
  const types = readFileSync(new URL('../../../clients/typescript/src/messages.ts', import.meta.url), 'utf8');
  // The gateway's own additions (docs/http.md).
  const additions = new Set(['text', 'stdin_text', 'stdout_base64', 'stderr_base64', 'output_files', 'base64', 'compile', 'main_file']);
  const messages = Object.fromEntries([...proto.matchAll(/^message (\w+) \{\n(.*?)^\}/gms)].map(([, name, body]) => [name, body]));
  let checked = 0;
  for (const [, name, body] of types.matchAll(/^export interface (\w+) \{\n(.*?)^\}/gms)) {
    if (messages[name] === undefined) continue;  // Answer, AnswerFile: the gateway's
    for (const [, field] of body.matchAll(/^ {2}(\w+)\??:/gm)) {
      checked += 1;
      assert.ok(additions.has(field) || new RegExp(`\\b${field} = \\d`).test(messages[name]), `${name}.${field} is not in the API`);
    }
  }
  assert.ok(checked > 80, String(checked));
  const verdicts = /enum Verdict \{(.*?)\}/s.exec(proto)[1].match(/\b[A-Z_]+(?= = \d)/g);
  for (const verdict of verdicts) assert.ok(types.includes(`'${verdict}'`), verdict);
});
