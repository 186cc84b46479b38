// Servers and clients in one program: net, http, fetch, dgram, dns, both families, a cluster.
const assert = require('assert');
const cluster = require('cluster');
const dgram = require('dgram');
const dns = require('dns').promises;
const http = require('http');
const net = require('net');
const { once } = require('events');

const body = async (stream) => {
  let text = '';
  for await (const piece of stream) text += piece;
  return text;
};

async function plain() {
  for (const host of ['127.0.0.1', '::1', undefined]) {
    const server = net.createServer((socket) => socket.pipe(socket)).listen(0, host);
    await once(server, 'listening');
    const client = net.connect(server.address().port, host ?? 'localhost');
    client.setNoDelay(true);
    client.setKeepAlive(true, 1000);
    client.end('x'.repeat(300000));
    assert.strictEqual((await body(client)).length, 300000);
    server.close();
  }
}

async function web() {
  const server = http.createServer((request, response) => {
    request.resume();
    response.end(`you asked for ${request.url}`);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  const [response] = await once(http.get(`http://localhost:${port}/a`, { family: 4, agent: false }), 'response');
  assert.strictEqual(await body(response), 'you asked for /a');
  const answer = await fetch(`http://127.0.0.1:${port}/b`, { headers: { connection: 'close' } });
  assert.strictEqual(await answer.text(), 'you asked for /b');
  server.close();
}

async function datagrams() {
  for (const [type, host] of [['udp4', '127.0.0.1'], ['udp6', '::1']]) {
    const one = dgram.createSocket(type);
    one.bind(0, host);
    await once(one, 'listening');
    const other = dgram.createSocket(type);
    other.send('hello', one.address().port, host);
    const [message] = await once(one, 'message');
    assert.strictEqual(String(message), 'hello');
    one.close();
    other.close();
  }
}

async function names() {
  const found = (await dns.lookup('localhost', { all: true })).map((entry) => entry.address).sort();
  assert.deepStrictEqual(found, ['127.0.0.1', '::1']);
  await assert.rejects(dns.lookup('example.org'));
}

async function workers() {
  const worker = cluster.fork();
  const [, address] = await once(cluster, 'listening');
  const [response] = await once(http.get({ host: '127.0.0.1', port: address.port, agent: false }), 'response');
  assert.strictEqual(await body(response), 'from a worker');
  worker.kill();
  await once(worker, 'exit');
}

if (cluster.isPrimary) {
  (async () => {
    await plain();
    await web();
    await datagrams();
    await names();
    await workers();
    console.log('ok');
  })();
} else {
  http.createServer((_, response) => response.end('from a worker')).listen(0, '127.0.0.1');
}
