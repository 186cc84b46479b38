// fs in its three forms, streams, watching, compression.
const assert = require('assert');
const fs = require('fs');
const os = require('os');
const path = require('path');
const { pipeline } = require('stream/promises');
const zlib = require('zlib');

(async () => {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'tree-'));
  assert.ok(root.startsWith('/tmp/'));
  process.chdir(root);
  fs.mkdirSync('deep/er', { recursive: true });
  fs.writeFileSync('a.txt', 'zeile\n'.repeat(20000));
  await fs.promises.copyFile('a.txt', 'deep/b.txt');
  fs.cpSync('deep', 'copy', { recursive: true });
  fs.renameSync('copy', 'moved');
  fs.symlinkSync('a.txt', 'link');
  fs.linkSync('a.txt', 'hard');
  fs.chmodSync('hard', 0o640);
  fs.chownSync('hard', process.getuid(), process.getgid());
  fs.utimesSync('hard', 1, 2);
  assert.strictEqual(fs.statSync('hard').mtimeMs, 2000);
  assert.strictEqual(fs.realpathSync('link'), path.join(root, 'a.txt'));
  assert.ok(fs.lstatSync('link').isSymbolicLink() && fs.statSync('hard', { bigint: true }).size === 120000n);
  assert.deepStrictEqual(fs.readdirSync('.').sort(), ['a.txt', 'deep', 'hard', 'link', 'moved']);
  assert.deepStrictEqual((await fs.promises.readdir('.', { withFileTypes: true })).filter((e) => e.isDirectory()).length, 2);

  const handle = await fs.promises.open('data', 'w+');
  await handle.write(Buffer.from('hello'), 0, 5, 0);
  await handle.writev([Buffer.from(' wo'), Buffer.from('rld')], 5);
  await handle.sync();
  await handle.datasync();
  await handle.truncate(8);
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(20), 0, 20, 0);
  assert.strictEqual(buffer.toString('utf8', 0, bytesRead), 'hello wo');
  await handle.close();
  fs.appendFileSync('data', '!');
  assert.throws(() => fs.readFileSync('absent'), { code: 'ENOENT' });
  assert.throws(() => fs.writeFileSync('/usr/x', ''), (error) => ['EACCES', 'EROFS', 'EPERM'].includes(error.code));

  await pipeline(fs.createReadStream('a.txt'), zlib.createGzip(), fs.createWriteStream('a.gz'));
  await pipeline(fs.createReadStream('a.gz'), zlib.createGunzip(), fs.createWriteStream('a.back'));
  assert.ok(fs.readFileSync('a.back').equals(fs.readFileSync('a.txt')));
  assert.ok(zlib.brotliDecompressSync(zlib.brotliCompressSync('x'.repeat(1000))).length === 1000);

  // inotify would show when other runs and the host open a file of /usr, so there is none; polling works.
  assert.throws(() => fs.watch('.'), { code: 'ENOSYS' });
  const changed = new Promise((resolve) => fs.watchFile('new', { interval: 5 }, (now, before) => now.size > before.size && resolve(now.size)));
  // Again and again: the first look may come after the first write.
  const writer = setInterval(() => fs.appendFileSync('new', '1234'), 5);
  assert.strictEqual(await changed % 4, 0);
  clearInterval(writer);
  fs.unwatchFile('new');
  const stat = await fs.promises.statfs?.('/box');
  assert.ok(stat === undefined || stat.blocks > 0);
  fs.rmSync('deep', { recursive: true });
  fs.unlinkSync('link');
  console.log('ok');
})();
