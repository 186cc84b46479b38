// Child processes in every form, signals, timers.
const assert = require('assert');
const childProcess = require('child_process');
const { promisify } = require('util');

const forked = process.argv[2] === 'child';
if (forked) {
  process.on('message', (message) => { process.send(message.n * 2); process.disconnect(); });
} else {
  (async () => {
    assert.strictEqual(childProcess.execSync('printf "b\\na\\n" | sort | tr a-z A-Z').toString(), 'A\nB\n');
    assert.strictEqual(childProcess.spawnSync('/bin/sh', ['-c', 'exit 3']).status, 3);
    assert.strictEqual((await promisify(childProcess.exec)('echo out; echo err >&2')).stderr, 'err\n');
    const cat = childProcess.spawn('/bin/cat');
    const answer = new Promise((resolve) => cat.stdout.on('data', resolve));
    cat.stdin.end('hello');
    assert.strictEqual(String(await answer), 'hello');
    const child = childProcess.fork(__filename, ['child']);
    const doubled = new Promise((resolve) => child.once('message', resolve));
    child.send({ n: 21 });
    assert.strictEqual(await doubled, 42);
    const sleeper = childProcess.spawn('/bin/sleep', ['60'], { detached: true });
    const ended = new Promise((resolve) => sleeper.on('exit', (code, signal) => resolve(signal)));
    sleeper.kill('SIGTERM');
    assert.strictEqual(await ended, 'SIGTERM');

    const signalled = new Promise((resolve) => process.once('SIGUSR2', resolve));
    const alive = setInterval(() => {}, 1000); // waiting for a signal does not keep a program alive
    process.kill(process.pid, 'SIGUSR2');
    assert.strictEqual(await signalled, 'SIGUSR2');
    clearInterval(alive);

    const order = [];
    await new Promise((resolve) => {
      setTimeout(() => { order.push('timeout'); resolve(); }, 5);
      setImmediate(() => order.push('immediate'));
      process.nextTick(() => order.push('tick'));
    });
    assert.deepStrictEqual(order, ['tick', 'immediate', 'timeout']);
    const interval = await new Promise((resolve) => {
      let times = 0;
      const timer = setInterval(() => { times += 1; if (times === 3) { clearInterval(timer); resolve(times); } }, 1);
    });
    assert.strictEqual(interval, 3);
    assert.ok(process.uptime() > 0 && process.hrtime.bigint() > 0n && process.cpuUsage().user >= 0);
    assert.ok(process.memoryUsage().rss > 0 && process.resourceUsage().maxRSS > 0);
    console.log('ok');
  })();
}
