// Results in plain words. Pure.
import type { Denial, LimitHit, RunResult } from 'caisson';

const SIGNALS: Record<number, string> = {
  1: 'SIGHUP', 2: 'SIGINT (Ctrl+C)', 3: 'SIGQUIT', 4: 'SIGILL: it met an instruction that the processor does not know', 5: 'SIGTRAP',
  6: 'SIGABRT: it gave up by itself', 7: 'SIGBUS', 8: 'SIGFPE: it divided by zero, or the like', 9: 'SIGKILL', 10: 'SIGUSR1',
  11: 'SIGSEGV: it touched memory that is not its own', 12: 'SIGUSR2', 13: 'SIGPIPE', 14: 'SIGALRM', 15: 'SIGTERM',
  24: 'SIGXCPU', 25: 'SIGXFSZ: it wrote a file larger than it may', 31: 'SIGSYS',
};

export function bytesInWords(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB'];
  let unit = 0;
  while (bytes >= 1024 && unit < units.length - 1) {
    bytes /= 1024;
    ++unit;
  }
  return `${Number(bytes.toFixed(bytes < 10 ? 1 : 0))} ${units[unit]}`;
}

export function millisecondsInWords(ms: number): string {
  if (ms < 1) return `${Number(ms.toFixed(2))} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  return `${Number((ms / 1000).toFixed(ms < 10_000 ? 2 : 1))} s`;
}

/** "0.012s" in milliseconds. */
export function durationMs(duration: string | null | undefined): number {
  return duration == null ? 0 : Number(duration.replace(/s$/, '')) * 1000;
}

function limitInWords(limit: LimitHit | null | undefined): string {
  if (limit == null) return 'its share';
  const value = Number(limit.limit);
  if (limit.name.endsWith('_bytes')) return bytesInWords(value);
  if (limit.name.endsWith('_ms')) return millisecondsInWords(value);
  return String(value);
}

/** How the run ended, and whether that is what one hopes for. */
export function outcome(result: RunResult): { text: string; good: boolean } {
  const limit = limitInWords(result.limit);
  switch (result.verdict) {
    case 'COMPLETED':
      return result.exit_code === 0
        ? { text: 'Finished.', good: true }
        : { text: `Finished with exit code ${result.exit_code}.`, good: false };
    case 'SIGNALED':
      return { text: `Ended by a signal: ${SIGNALS[result.signal ?? 0] ?? result.signal}.`, good: false };
    case 'WALL_TIME_LIMIT':
      return { text: `Stopped: it ran for all of its ${limit}.`, good: false };
    case 'CPU_TIME_LIMIT':
      return { text: `Stopped: it used all of its ${limit} of processor time.`, good: false };
    case 'MEMORY_LIMIT':
      return { text: `Stopped: it used all of its ${limit} of memory.`, good: false };
    case 'OUTPUT_LIMIT':
      return { text: `Stopped: it printed more than ${limit}.`, good: false };
    case 'SYSCALL_VIOLATION':
      return {
        text: result.limit?.name === 'denial_rate'
          ? 'Stopped: it kept asking the kernel for what the sandbox refuses.'
          : 'Stopped: it asked the kernel for what the sandbox forbids.',
        good: false,
      };
    case 'CANCELED':
      return { text: result.ended_by === 'OPERATOR' ? 'Stopped by the operator.' : 'Stopped by you.', good: false };
    case 'COMPILE_FAILED':
      return { text: 'It does not compile.', good: false };
    default:
      return { text: `The service could not run it: ${result.message}`, good: false };
  }
}

/** "socket(AF_INET, SOCK_STREAM) was refused, 3 times." */
export function denialInWords(denial: Denial): string {
  const count = Number(denial.count);
  const times = count === 1 ? '' : `, ${count} times`;
  return `${denial.name}(${denial.decoded_args.join(', ')}) was refused${times}.`;
}
