// A terminal in the page, loaded when the first program asks for one. From outside: every byte that the program writes, which
// xterm.js interprets; it has no way out of its element.
import '@xterm/xterm/css/xterm.css';

import { FitAddon } from '@xterm/addon-fit';
import { Terminal } from '@xterm/xterm';

import { withAdoptedStyles } from './adopted_style.js';

export interface TerminalUser {
  typed(data: string): void;
  resized(rows: number, columns: number): void;
}

export class TerminalView {
  readonly #terminal: Terminal;
  readonly #fit = new FitAddon();
  #user: TerminalUser | undefined;

  constructor(host: HTMLElement) {
    this.#terminal = new Terminal({
      fontFamily: 'ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace',
      fontSize: 14,
      scrollback: 5_000,
      screenReaderMode: true,
      // A program can call any text a link; none leads out of the page.
      linkHandler: { activate: () => {} },
      theme: { background: '#14191f', foreground: '#e6e6e6' },
    });
    this.#terminal.loadAddon(this.#fit);
    withAdoptedStyles(() => this.#terminal.open(host));
    this.#terminal.onData((data) => this.#user?.typed(data));
    this.#terminal.onResize(({ rows, cols }) => this.#user?.resized(rows, cols));
    new ResizeObserver(() => this.#fit.fit()).observe(host);
  }

  /** Empty, fitted to its place, and with the keyboard. */
  begin(user: TerminalUser): { rows: number; columns: number } {
    this.#terminal.reset();
    this.#fit.fit();
    this.#user = user;
    this.#terminal.focus();
    return { rows: this.#terminal.rows, columns: this.#terminal.cols };
  }

  /** Done when it is drawn: whoever waits reads no faster than the terminal draws. */
  write(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve) => this.#terminal.write(bytes, resolve));
  }

  end(): void {
    this.#user = undefined;
  }
}
