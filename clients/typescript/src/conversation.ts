// A run that is talked to while it runs: the gateway's WebSocket (docs/websocket.md). Needs the global WebSocket of
// browsers and of Node from 22 on.
import { ConnectionLost } from './errors.js';
import { runEvent, type RunEvent } from './events.js';
import type { ExecuteRequest, RunResult } from './messages.js';

export const INTERACT_PROTOCOL = 'caisson.run-interact.v1';
/** A browser's WebSocket has no headers of its own: a token is shown as one more subprotocol. */
const BEARER_PROTOCOL = 'caisson.bearer.';

export interface Terminal {
  rows: number;
  columns: number;
  /** The variable TERM; "xterm-256color" where it is absent. */
  term?: string;
}

/** Signals that a client may send. */
export type SignalName = 'HUP' | 'INT' | 'QUIT' | 'USR1' | 'USR2' | 'ALRM' | 'TERM' | 'CONT' | 'TSTP' | 'WINCH';

/** The longest piece of standard input in one message, in bytes: half of what the API takes. */
const STDIN_BYTES = 32 << 10;

export class Conversation {
  readonly #socket: WebSocket;
  readonly #events: (RunEvent | Error)[] = [];
  readonly #waiting: (() => void)[] = [];
  #ended = false;

  constructor(url: string, request: ExecuteRequest, terminal?: Terminal, token?: string) {
    this.#socket = new WebSocket(url, [INTERACT_PROTOCOL, ...(token === undefined ? [] : [BEARER_PROTOCOL + token])]);
    this.#socket.addEventListener('open', () => {
      this.#send({ open: { request, ...(terminal === undefined ? {} : { terminal }) } });
    });
    this.#socket.addEventListener('message', (message: MessageEvent) => this.#take(String(message.data)));
    this.#socket.addEventListener('close', () => this.#end(new ConnectionLost('the connection ended before the run did')));
  }

  /** Every event up to `finished`. One reader; who stops reading ends the run. */
  async *events(): AsyncGenerator<RunEvent, RunResult, undefined> {
    try {
      for (;;) {
        const next = this.#events.shift();
        if (next === undefined) {
          await new Promise<void>((resolve) => this.#waiting.push(resolve));
          continue;
        }
        if (next instanceof Error) {
          throw next;
        }
        yield next;
        if (next.event === 'finished') {
          return next.data;
        }
      }
    } finally {
      this.close();
    }
  }

  /** Standard input, as it is typed. Before the connection stands it is kept. */
  write(data: string | Uint8Array): void {
    const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : data;
    for (let at = 0; at < bytes.length; at += STDIN_BYTES) {
      const piece = bytes.slice(at, at + STDIN_BYTES);
      this.#whenOpen(() => this.#socket.send(piece));
    }
  }

  /** No more input. */
  end(): void {
    this.#whenOpen(() => this.#send({ eof: {} }));
  }

  signal(name: SignalName): void {
    this.#whenOpen(() => this.#send({ signal: { name } }));
  }

  resize(rows: number, columns: number): void {
    this.#whenOpen(() => this.#send({ resize: { rows, columns } }));
  }

  /** Ends the run; its result still comes. */
  cancel(): void {
    this.#whenOpen(() => this.#send({ cancel: {} }));
  }

  /** Goes away, and the run ends. */
  close(): void {
    this.#socket.close();
  }

  #send(message: unknown): void {
    this.#socket.send(JSON.stringify(message));
  }

  /** Now, or once `open` was sent; never after the end. */
  #whenOpen(action: () => void): void {
    if (this.#socket.readyState === WebSocket.CONNECTING) {
      this.#socket.addEventListener('open', action, { once: true });
    } else if (this.#socket.readyState === WebSocket.OPEN) {
      action();
    }
  }

  #take(text: string): void {
    try {
      const { event, data } = JSON.parse(text) as { event: string; data: unknown };
      const known = runEvent(event, data);
      if (known !== undefined) {
        this.#push(known);
      }
    } catch (error) {
      this.#end(error as Error);
    }
  }

  #end(error: Error): void {
    if (!this.#ended) {
      this.#ended = true;
      this.#push(error);
    }
  }

  #push(item: RunEvent | Error): void {
    this.#events.push(item);
    for (const wake of this.#waiting.splice(0)) {
      wake();
    }
  }
}
