// What the program prints, both streams told apart. A program may print megabytes: text is added once a frame, in blocks that
// the browser need not lay out before they are seen, and the oldest go beyond a bound. From outside: every character.
import type { Stream } from 'caisson';

import { make } from './dom.js';

const BLOCK_CHARACTERS = 8 << 10;
/** A line longer than this is broken. */
const LINE_CHARACTERS = 64 << 10;
/** More than a run may print by default, on both streams. */
const MOST_CHARACTERS = 4 << 20;

type Kind = 'stdout' | 'stderr' | 'compile';

export class OutputView {
  readonly #host: HTMLElement;
  readonly #pending: { kind: Kind; text: string }[] = [];
  #block: HTMLElement | undefined;
  #blockSize = 0;
  #shown = 0;
  #dropped = false;
  #frame = 0;

  constructor(host: HTMLElement) {
    this.#host = host;
  }

  clear(): void {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    this.#pending.length = 0;
    this.#host.replaceChildren();
    this.#block = undefined;
    this.#blockSize = 0;
    this.#shown = 0;
    this.#dropped = false;
  }

  add(stream: Stream, text: string, compile: boolean): void {
    const kind: Kind = compile ? 'compile' : stream === 'STREAM_STDERR' ? 'stderr' : 'stdout';
    const last = this.#pending.at(-1);
    if (last?.kind === kind) {
      last.text += text;
    } else {
      this.#pending.push({ kind, text });
    }
    // A page in the background gets no frames, and would gather all of it.
    if (document.hidden) {
      this.#flush();
    } else if (this.#frame === 0) {
      this.#frame = requestAnimationFrame(() => this.#flush());
    }
  }

  text(): string {
    this.#flush();
    return Array.from(this.#host.querySelectorAll('.block'), (block) => block.textContent).join('');
  }

  #flush(): void {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    if (this.#pending.length === 0) return;
    const host = this.#host;
    const follows = host.scrollHeight - host.scrollTop - host.clientHeight < 40;
    for (const { kind, text } of this.#pending.splice(0)) {
      this.#append(kind, text);
    }
    this.#dropOldest();
    if (follows) host.scrollTop = host.scrollHeight;
  }

  #append(kind: Kind, text: string): void {
    let rest = text;
    while (rest !== '') {
      const room = Math.max(BLOCK_CHARACTERS - this.#blockSize, 0);
      let cut = rest.length;
      if (rest.length > room) {
        const newline = rest.indexOf('\n', room);
        cut = Math.min(newline < 0 ? rest.length : newline + 1, LINE_CHARACTERS);
      }
      this.#appendPiece(kind, rest.slice(0, cut));
      rest = rest.slice(cut);
    }
  }

  #appendPiece(kind: Kind, text: string): void {
    if (this.#block === undefined) {
      this.#block = make('div', 'block');
      this.#blockSize = 0;
      this.#host.append(this.#block);
    }
    const last = this.#block.lastElementChild;
    if (last?.className === kind) {
      last.append(text);
    } else {
      this.#block.append(make('span', kind, text));
    }
    this.#blockSize += text.length;
    this.#shown += text.length;
    const full = this.#blockSize >= BLOCK_CHARACTERS && text.endsWith('\n');
    if (full || this.#blockSize >= LINE_CHARACTERS) this.#block = undefined;
  }

  #dropOldest(): void {
    while (this.#shown > MOST_CHARACTERS) {
      const oldest = this.#host.querySelector('.block');
      if (oldest === null || oldest === this.#block) break;
      this.#shown -= oldest.textContent?.length ?? 0;
      oldest.remove();
      if (!this.#dropped) {
        this.#dropped = true;
        this.#host.prepend(make('p', 'dropped', 'What was printed first is not shown any more.'));
      }
    }
  }
}
