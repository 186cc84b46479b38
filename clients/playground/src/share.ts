// A program in the fragment of a link: never sent to any server. From outside: every byte of a fragment.
import type { Program } from './program.js';

const VERSION = 'v1.';
/** Beyond it a link is too long for what people paste links into, and for the daemon's own bound. */
const MOST_BYTES = 1 << 20;
const MOST_FILES = 64;

export async function toFragment(program: Program): Promise<string> {
  const json = JSON.stringify({
    p: program.profile,
    f: program.files.map(({ path, text }) => [path, text]),
    ...(program.args === '' ? {} : { a: program.args }),
    ...(program.stdin === '' ? {} : { i: program.stdin }),
    ...(program.terminal ? { t: 1 } : {}),
  });
  const packed = await through(new TextEncoder().encode(json), new CompressionStream('deflate-raw'), Infinity);
  return VERSION + toBase64Url(packed);
}

/** The program, nothing for an empty fragment. Throws for what is no link of ours. */
export async function fromFragment(fragment: string): Promise<Program | undefined> {
  const text = fragment.replace(/^#/, '');
  if (text === '') return undefined;
  if (!text.startsWith(VERSION)) throw new Error('not a link of this playground');
  const bytes = await through(fromBase64Url(text.slice(VERSION.length)), new DecompressionStream('deflate-raw'), MOST_BYTES);
  return checked(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)));
}

function checked(value: unknown): Program {
  const { p, f, a, i, t } = value as Record<string, unknown>;
  const isFile = (entry: unknown): entry is [string, string] =>
    Array.isArray(entry) && entry.length === 2 && entry.every((part) => typeof part === 'string');
  const isText = (text: unknown): boolean => text === undefined || typeof text === 'string';
  if (typeof p !== 'string' || !Array.isArray(f) || f.length === 0 || f.length > MOST_FILES || !f.every(isFile) || !isText(a) ||
      !isText(i)) {
    throw new Error('a link that is damaged');
  }
  return {
    profile: p,
    files: f.map(([path, text]) => ({ path, text })),
    args: (a as string | undefined) ?? '',
    stdin: (i as string | undefined) ?? '',
    terminal: t === 1,
  };
}

/** At most `most` bytes of what `transform` makes of `bytes`: a short link may unpack to gigabytes. */
async function through(bytes: Uint8Array<ArrayBuffer>, transform: CompressionStream | DecompressionStream, most: number):
    Promise<Uint8Array<ArrayBuffer>> {
  const reader = new Blob([bytes]).stream().pipeThrough(transform).getReader();
  const pieces: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    size += value.length;
    if (size > most) {
      await reader.cancel();
      throw new Error('a link that is too large');
    }
    pieces.push(value);
  }
  const whole = new Uint8Array(size);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

function toBase64Url(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

function fromBase64Url(text: string): Uint8Array<ArrayBuffer> {
  const plain = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  const bytes = new Uint8Array(plain.length);
  for (let at = 0; at < plain.length; ++at) bytes[at] = plain.charCodeAt(at);
  return bytes;
}
