// One run and what is shown of it. Without a terminal it is a run of its own that the page follows, so that a connection that
// breaks costs nothing; with one it is a conversation, which ends with the page.
import {
  bytesOf, Caisson, Refused, textOf, type Conversation, type ExecuteRequest, type Limits, type RunEvent, type RunResult,
} from 'caisson';

import { splitArguments, type Program } from './program.js';

export interface RunViews {
  state(text: string, kind: 'busy' | 'good' | 'bad'): void;
  output(event: RunEvent & { event: 'output' }, text: string): void;
  /** The terminal, ready for a new program. */
  terminal(user: { typed(data: string): void; resized(rows: number, columns: number): void }):
    Promise<{ rows: number; columns: number; write(bytes: Uint8Array): Promise<void> }>;
}

const PLAIN = { queued: 'Waiting for a place', accepted: 'Building a sandbox', started: 'Running' } as const;

export class RunSession {
  readonly #client: Caisson;
  readonly #views: RunViews;
  readonly #abort = new AbortController();
  #name: string | undefined;
  #conversation: Conversation | undefined;
  #stopped = false;

  constructor(client: Caisson, views: RunViews) {
    this.#client = client;
    this.#views = views;
  }

  /** Until the run's end. Throws what keeps it from one. */
  async run(program: Program): Promise<RunResult> {
    const request = requestOf(program);
    this.#views.state('Sending', 'busy');
    return program.terminal ? this.#talk(request) : this.#follow(request);
  }

  /** Ends the run; its result still comes. */
  stop(): void {
    this.#stopped = true;
    if (this.#conversation !== undefined) {
      this.#conversation.cancel();
    } else if (this.#name !== undefined) {
      // What is wrong with it shows in the stream of events, too.
      this.#client.cancel(this.#name).catch(() => undefined);
    }
  }

  /** The page goes away: nobody will read the run's end. */
  leave(): void {
    if (this.#name !== undefined && this.#conversation === undefined) {
      this.#client.cancel(this.#name, { keepalive: true }).catch(() => undefined);
    }
    this.#abort.abort();
    this.#conversation?.close();
  }

  async #follow(request: ExecuteRequest): Promise<RunResult> {
    const run = await this.#client.create(request, { signal: this.#abort.signal });
    this.#name = run.name;
    if (this.#stopped) this.stop();
    const events = this.#client.follow(run.name, {
      signal: this.#abort.signal,
      onReconnect: (attempt) => this.#views.state(`The connection was lost; trying again (${attempt})`, 'busy'),
    });
    let isRunning = false;
    for await (const event of events) {
      if (event.event === 'open' && isRunning) this.#views.state(PLAIN.started, 'busy');
      if (event.event === 'started') isRunning = true;
      if (event.event === 'output') {
        this.#views.output(event, textOf(event.data));
      } else if (event.event === 'finished') {
        return event.data;
      } else {
        this.#tell(event);
      }
    }
    throw new Error('the run has no end');
  }

  async #talk(request: ExecuteRequest): Promise<RunResult> {
    const terminal = await this.#views.terminal({
      typed: (data) => this.#conversation?.write(data),
      resized: (rows, columns) => this.#conversation?.resize(rows, columns),
    });
    const conversation = this.#client.interact(request, { rows: terminal.rows, columns: terminal.columns });
    this.#conversation = conversation;
    if (this.#stopped) this.stop();
    for await (const event of conversation.events()) {
      if (event.event === 'output') {
        await terminal.write(bytesOf(event.data));
      } else if (event.event === 'finished') {
        return event.data;
      } else {
        this.#tell(event);
      }
    }
    throw new Error('the run has no end');
  }

  #tell(event: RunEvent): void {
    if (event.event === 'queued') {
      this.#views.state(`${PLAIN.queued}: number ${event.data.position}`, 'busy');
    } else if (event.event === 'accepted' || event.event === 'started') {
      this.#views.state(PLAIN[event.event], 'busy');
    } else if (event.event === 'step_finished' && event.data.step === 'compile') {
      this.#views.state('Compiled', 'busy');
    }
  }
}

function requestOf(program: Program): ExecuteRequest {
  const args = splitArguments(program.args);
  return {
    profile: program.profile,
    files: program.files.map(({ path, text }) => ({ path, text })),
    main_file: program.files[0]!.path,
    ...(args.length > 0 ? { args } : {}),
    ...(program.terminal || program.stdin === '' ? {} : { stdin_text: program.stdin }),
  };
}

/** What was refused, for people. */
export function refusalInWords(error: unknown): string {
  if (error instanceof Refused) {
    const violations = (error.problem.violations ?? []).map(({ field, description }) => `${field}: ${description}`);
    const again = error.retryAfterMs === undefined ? '' : ` Try again in ${Math.ceil(error.retryAfterMs / 1000)} s.`;
    return `Refused: ${[error.message, ...violations].join('; ')}.${again}`.replace(/\.\.+/g, '.');
  }
  return error instanceof Error ? `It did not work: ${error.message}.` : String(error);
}

export type { Limits };
