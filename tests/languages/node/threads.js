// Workers, shared memory, the thread pool.
const assert = require('assert');
const { Worker, isMainThread, parentPort, workerData, MessageChannel } = require('worker_threads');

if (isMainThread) {
  (async () => {
    const shared = new SharedArrayBuffer(4);
    const counter = new Int32Array(shared);
    const workers = [1, 2, 3, 4].map((n) => new Promise((resolve, reject) => {
      const worker = new Worker(__filename, { workerData: { n, shared } });
      let answer;
      worker.on('message', (message) => { answer = message; });
      worker.on('error', reject);
      worker.on('exit', () => resolve(answer));
    }));
    assert.deepStrictEqual(await Promise.all(workers), [1, 4, 9, 16]);
    assert.strictEqual(Atomics.load(counter, 0), 4000);

    const { port1, port2 } = new MessageChannel();
    const received = new Promise((resolve) => port2.once('message', resolve));
    port1.postMessage({ hello: new Map([[1, 2]]) });
    assert.strictEqual((await received).hello.get(1), 2);
    port1.close();

    const pbkdf2 = require('util').promisify(require('crypto').pbkdf2);
    const keys = await Promise.all([...Array(12).keys()].map((n) => pbkdf2(`p${n}`, 's', 2000, 32, 'sha256')));
    assert.strictEqual(new Set(keys.map(String)).size, 12);
    console.log('ok');
  })();
} else {
  const counter = new Int32Array(workerData.shared);
  for (let i = 0; i < 1000; i += 1) Atomics.add(counter, 0, 1);
  parentPort.postMessage(workerData.n * workerData.n);
}
