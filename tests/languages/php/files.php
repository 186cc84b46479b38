<?php
// Files, directories, locks, archives, streams.
declare(strict_types=1);

function check(bool $condition): void
{
    $condition || throw new Exception('not so');
}

$root = sys_get_temp_dir() . '/tree';
check($root === '/tmp/tree' && mkdir("$root/deep/er", 0755, true) && chdir($root));
file_put_contents('a.txt', str_repeat("zeile\n", 20000));
check(copy('a.txt', 'deep/b.txt') && rename('deep/b.txt', 'deep/c.txt') && symlink('a.txt', 'link') && link('a.txt', 'hard'));
check(chmod('hard', 0640) && chown('hard', posix_getuid()) && touch('hard', 2, 1));
clearstatcache();
check(filemtime('hard') === 2 && realpath('link') === "$root/a.txt" && is_link('link') && readlink('link') === 'a.txt' && stat('hard')['size'] === 120000);
check(scandir('.') === ['.', '..', 'a.txt', 'deep', 'hard', 'link'] && glob('*.txt') === ['a.txt']);
$paths = iterator_count(new RecursiveIteratorIterator(new RecursiveDirectoryIterator('.', FilesystemIterator::SKIP_DOTS), RecursiveIteratorIterator::SELF_FIRST));
check($paths === 6 && count(file('a.txt')) === 20000 && disk_free_space('/box') > 0 && is_writable('.') && !is_writable('/usr'));
$file = fopen('data', 'w+');
check(flock($file, LOCK_EX | LOCK_NB) && fwrite($file, 'hello world') === 11 && fsync($file) && fdatasync($file));
fseek($file, 6);
check(fread($file, 10) === 'world' && ftruncate($file, 5) && rewind($file) && stream_get_contents($file) === 'hello');
fclose($file);
$temporary = tmpfile();
fputcsv($temporary, ['a', 'b "c"', 3]);
rewind($temporary);
check(fgetcsv($temporary) === ['a', 'b "c"', '3'] && str_starts_with(tempnam('', 'x'), '/tmp/x'));
file_put_contents('compress.zlib://a.gz', file_get_contents('a.txt'));
check(strlen(gzdecode(file_get_contents('a.gz'))) === 120000 && gzuncompress(gzcompress('x')) === 'x');
$phar = new PharData('t.tar');
$phar->addFile('a.txt');
check(count($phar) === 1 && strlen(file_get_contents('phar://t.tar/a.txt')) === 120000);
check((new finfo(FILEINFO_MIME_TYPE))->file('a.gz') === 'application/gzip' && mime_content_type('a.txt') === 'text/plain');
check(@file_put_contents('/usr/x', '') === false && rmdir('deep/er') && unlink('link'));
echo "ok\n";
