// The gateway's routes as calls. Works wherever there is `fetch`: browsers, Node from 18 on.
import { ConnectionLost, refusalOf, Refused } from './errors.js';
import { isAbort, readEvents, type RunEvent } from './events.js';
import { Conversation, type Terminal } from './conversation.js';
import type { Answer, ExecuteRequest, InputFile, Profile, Run, RunResult, ServerInfo } from './messages.js';

export interface CaissonOptions {
  /** Where the gateway is: "http://127.0.0.1:8080". In a page that the gateway serves: nothing. */
  baseUrl?: string;
  /** Sent as `Authorization: Bearer`. */
  token?: string;
  /** Instead of the global one. */
  fetch?: typeof globalThis.fetch;
  /** How often `follow` tries again to reach a gateway that went away. */
  reconnectAttempts?: number;
  /** The first pause before that, in milliseconds; each is twice the one before, up to 5 s. */
  reconnectDelayMs?: number;
}

export interface CallOptions {
  signal?: AbortSignal;
  /** The request goes out even if the page goes away meanwhile. */
  keepalive?: boolean;
}

export interface FollowOptions extends CallOptions {
  /** The id of the last event that the caller has. */
  lastEventId?: string;
  /** The connection broke, and the next try comes after `delayMs`. */
  onReconnect?: (attempt: number, delayMs: number) => void;
}

/** A program: its text, or its files. */
export type Program = string | InputFile[];

export type RunOptions = Omit<ExecuteRequest, 'profile' | 'files'> & CallOptions;

type Sent = { [Name in keyof CallOptions]: CallOptions[Name] | undefined };

const LONGEST_DELAY_MS = 5_000;

export class Caisson {
  readonly #base: string;
  readonly #token: string | undefined;
  readonly #fetch: typeof globalThis.fetch;
  readonly #attempts: number;
  readonly #delayMs: number;
  /** What each profile calls a program without a name, asked for once. */
  #mainFiles: Promise<Map<string, string>> | undefined;

  constructor(options: CaissonOptions = {}) {
    this.#base = (options.baseUrl ?? '').replace(/\/+$/, '');
    this.#token = options.token;
    this.#fetch = options.fetch ?? ((input, init) => globalThis.fetch(input, init));
    this.#attempts = options.reconnectAttempts ?? 8;
    this.#delayMs = options.reconnectDelayMs ?? 250;
  }

  /** Runs a program to its end. The run ends with the call. At most 8 MiB of output: beyond it, `execute`. */
  async run(profile: string, program: Program, options: RunOptions = {}): Promise<Answer> {
    const { signal, ...fields } = options;
    const files = typeof program === 'string' ? [{ path: await this.#mainFile(profile, options), text: program }] : program;
    return this.#json<Answer>('POST', '/v1/runs:execute', { signal }, { profile, files, ...fields });
  }

  /** The same, with events as they come. Who stops listening ends the run. */
  async *execute(request: ExecuteRequest, options: CallOptions = {}): AsyncGenerator<RunEvent, RunResult, undefined> {
    const response = await this.#send('POST', '/v1/runs:execute', options, request, 'text/event-stream');
    for await (const event of readEvents(bodyOf(response))) {
      yield event;
      if (event.event === 'finished') {
        return event.data;
      }
    }
    throw new ConnectionLost('the connection ended before the run did');
  }

  /** Starts a run that is nobody's call: it goes on when its client goes away. */
  async create(request: ExecuteRequest, options: CallOptions = {}): Promise<Run> {
    return this.#json<Run>('POST', '/v1/runs', options, request);
  }

  /**
   * The events of a created run, from its beginning or from `lastEventId` on, up to its end. Goes on by itself where it
   * was when the connection breaks: no byte of the output comes twice.
   */
  async *follow(name: string, options: FollowOptions = {}): AsyncGenerator<RunEvent, RunResult, undefined> {
    let last = options.lastEventId;
    let failures = 0;
    for (;;) {
      try {
        const headers: Record<string, string> = last === undefined ? {} : { 'Last-Event-ID': last };
        const path = `${pathOf(name)}:follow`;
        const response = await this.#send('GET', path, options, undefined, 'text/event-stream', headers);
        for await (const event of readEvents(bodyOf(response))) {
          failures = 0;
          last = event.id ?? last;
          yield event;
          if (event.event === 'finished') {
            return event.data;
          }
        }
        throw new ConnectionLost('the connection ended before the run did');
      } catch (error) {
        if (!mayReturn(error) || ++failures > this.#attempts) {
          throw error;
        }
        const delay = Math.min(this.#delayMs * 2 ** (failures - 1), LONGEST_DELAY_MS);
        options.onReconnect?.(failures, delay);
        await pause(delay, options.signal);
      }
    }
  }

  async get(name: string, options: CallOptions = {}): Promise<Run> {
    return this.#json<Run>('GET', pathOf(name), options);
  }

  /** Ends a live run; a finished one is returned as it is. */
  async cancel(name: string, options: CallOptions = {}): Promise<Run> {
    return this.#json<Run>('POST', `${pathOf(name)}:cancel`, options);
  }

  /** Newest first. */
  async *list(filter = '', options: CallOptions = {}): AsyncGenerator<Run, void, undefined> {
    let token = '';
    do {
      const query = new URLSearchParams();
      if (filter !== '') query.set('filter', filter);
      if (token !== '') query.set('page_token', token);
      const text = query.toString();
      const page = await this.#json<{ runs: Run[]; next_page_token: string }>(
        'GET', text === '' ? '/v1/runs' : `/v1/runs?${text}`, options);
      yield* page.runs;
      token = page.next_page_token;
    } while (token !== '');
  }

  async profiles(options: CallOptions = {}): Promise<Profile[]> {
    return (await this.#json<{ profiles: Profile[] }>('GET', '/v1/profiles', options)).profiles;
  }

  async serverInfo(options: CallOptions = {}): Promise<ServerInfo> {
    return this.#json<ServerInfo>('GET', '/v1/server', options);
  }

  /** A run that is talked to while it runs, over a WebSocket; with `terminal` it has a terminal of its own. */
  interact(request: ExecuteRequest, terminal?: Terminal): Conversation {
    const base = this.#base === '' ? globalThis.location.origin : this.#base;
    return new Conversation(`${base.replace(/^http/, 'ws')}/v1/runs:interact`, request, terminal, this.#token);
  }

  async #mainFile(profile: string, options: CallOptions): Promise<string> {
    this.#mainFiles ??= this.profiles(options).then((list) => new Map(list.map((one) => [one.name, one.default_main_file])));
    try {
      // A profile that is not there is the daemon's to refuse.
      return (await this.#mainFiles).get(profile) || 'main';
    } catch (error) {
      this.#mainFiles = undefined;
      throw error;
    }
  }

  async #send(method: string, path: string, options: Sent, body?: unknown,
              accept = 'application/json', more: Record<string, string> = {}): Promise<Response> {
    const headers: Record<string, string> = { Accept: accept, ...more };
    if (this.#token !== undefined) headers['Authorization'] = `Bearer ${this.#token}`;
    if (body !== undefined) headers['Content-Type'] = 'application/json';
    let response: Response;
    try {
      response = await this.#fetch(this.#base + path, {
        method, headers, cache: 'no-store',
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        ...(options.signal === undefined ? {} : { signal: options.signal }),
        ...(options.keepalive === true ? { keepalive: true } : {}),
      });
    } catch (cause) {
      throw isAbort(cause) ? cause : new ConnectionLost('the gateway cannot be reached', { cause });
    }
    if (response.status !== 200) {
      throw await refusalOf(response);
    }
    return response;
  }

  async #json<T>(method: string, path: string, options: Sent, body?: unknown): Promise<T> {
    const response = await this.#send(method, path, options, body);
    return (await response.json()) as T;
  }
}

function pathOf(name: string): string {
  if (!/^runs\/[0-9a-f]{32}$/.test(name)) {
    throw new TypeError(`not the name of a run: ${JSON.stringify(name)}`);
  }
  return `/v1/${name}`;
}

function bodyOf(response: Response): ReadableStream<Uint8Array> {
  if (response.body === null) {
    throw new ConnectionLost('the answer has no body');
  }
  return response.body;
}

/** A gateway that is being restarted refuses with 503; what it refuses otherwise it will refuse again. */
function mayReturn(error: unknown): boolean {
  return error instanceof ConnectionLost || (error instanceof Refused && error.status === 503);
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(done, ms);
    signal?.addEventListener('abort', aborted, { once: true });
    function done(): void {
      signal?.removeEventListener('abort', aborted);
      resolve();
    }
    function aborted(): void {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    }
  });
}
