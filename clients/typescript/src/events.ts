// The events of a run, version 1 of their schema (docs/http.md). From outside: whatever the gateway sends, in pieces of
// any size.
import { createParser, type EventSourceMessage } from 'eventsource-parser';

import { ConnectionLost, problemError, type Problem } from './errors.js';
import type { Denial, Isolation, RunResult, Step, Stream, Verdict } from './messages.js';

interface Numbered {
  /** 1, 2, 3, ... within one stream. */
  sequence: number;
}

/** Bytes of the program's: `text` where they are UTF-8, else `base64`. */
export interface Bytes {
  text?: string;
  base64?: string;
}

export interface OutputData extends Numbered, Bytes {
  stream: Stream;
  step: Step;
  /** Of the first byte, in its stream. */
  offset: string;
}

export interface OutputFileData extends Numbered, Bytes {
  path: string;
  offset: string;
  size_bytes: string;
  executable: boolean;
}

export type RunEvent = (
  | { event: 'open'; data: Numbered & { schema: string; request_id: string } }
  | { event: 'queued'; data: Numbered & { position: number } }
  | { event: 'accepted'; data: Numbered & { name: string } }
  | { event: 'started'; data: Numbered & { isolation: Isolation } }
  | { event: 'output'; data: OutputData }
  | { event: 'denial'; data: Numbered & Denial }
  | { event: 'step_finished'; data: Numbered & { step: Step; verdict: Verdict; exit_code?: number } }
  | { event: 'output_file'; data: OutputFileData }
  | { event: 'finished'; data: Numbered & RunResult }
) & {
  /** Where `follow` can go on. */
  id?: string;
};

const NAMES = new Set([
  'open', 'queued', 'accepted', 'started', 'output', 'denial', 'step_finished', 'output_file', 'finished',
]);

/** An event of the schema, or nothing for names that later versions may add. The event `error` is thrown. */
export function runEvent(name: string, data: unknown, id?: string): RunEvent | undefined {
  if (name === 'error') {
    throw problemError(data as Problem);
  }
  if (!NAMES.has(name)) {
    return undefined;
  }
  return { event: name, data, ...(id === undefined ? {} : { id }) } as RunEvent;
}

/** The events of a body of `text/event-stream`. Throws ConnectionLost where it breaks. */
export async function* readEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<RunEvent, void, undefined> {
  const ready: EventSourceMessage[] = [];
  const parser = createParser({ onEvent: (message) => ready.push(message) });
  const decoder = new TextDecoder();
  const reader = body.getReader();
  try {
    for (;;) {
      let piece: ReadableStreamReadResult<Uint8Array>;
      try {
        piece = await reader.read();
      } catch (cause) {
        throw isAbort(cause) ? cause : new ConnectionLost('the connection broke', { cause });
      }
      if (piece.done) {
        return;
      }
      parser.feed(decoder.decode(piece.value, { stream: true }));
      for (const message of ready.splice(0)) {
        const event = runEvent(message.event ?? 'message', JSON.parse(message.data), message.id);
        if (event !== undefined) {
          yield event;
        }
      }
    }
  } finally {
    // Whoever stops listening ends the request, and with it a run that ends with its client.
    await reader.cancel().catch(() => undefined);
  }
}

export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError';
}

/** The bytes of an output, whichever form they came in. */
export function bytesOf(data: Bytes): Uint8Array {
  if (data.base64 !== undefined) {
    return Uint8Array.from(atob(data.base64), (character) => character.charCodeAt(0));
  }
  return new TextEncoder().encode(data.text ?? '');
}

/** For people: what is no UTF-8 becomes U+FFFD. */
export function textOf(data: Bytes): string {
  return data.text ?? new TextDecoder().decode(bytesOf(data));
}
