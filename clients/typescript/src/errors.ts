// What goes wrong, as exceptions. A program that fails, meets a limit or does not compile is none of them: it is a result.

/** RFC 9457, with the gateway's own members (docs/http.md, "Problems"). */
export interface Problem {
  type?: string;
  title?: string;
  status: number;
  detail?: string;
  code?: string;
  reason?: string;
  domain?: string;
  violations?: { field: string; description: string }[];
  metadata?: Record<string, string>;
  retry_after_ms?: number;
  request_id?: string;
}

/** The base of them all. */
export class CaissonError extends Error {
  override name = 'CaissonError';
}

/** The gateway or the daemon refused the request. */
export class Refused extends CaissonError {
  override name = 'Refused';

  constructor(readonly problem: Problem) {
    super(problem.detail ?? problem.title ?? `HTTP ${problem.status}`);
  }

  /** One of docs/errors.md or docs/http.md: "PROFILE_NOT_FOUND". */
  get reason(): string {
    return this.problem.reason ?? '';
  }

  get status(): number {
    return this.problem.status;
  }

  /** When it may be worth another try, in milliseconds; absent where it will be refused again. */
  get retryAfterMs(): number | undefined {
    return this.problem.retry_after_ms;
  }
}

/** No answer, or one that broke off. */
export class ConnectionLost extends CaissonError {
  override name = 'ConnectionLost';
}

export function problemError(problem: Problem): Refused {
  return new Refused(problem);
}

/** The refusal that an answer is. */
export async function refusalOf(response: Response): Promise<Refused> {
  const text = await response.text();
  try {
    const problem: unknown = JSON.parse(text);
    if (typeof problem === 'object' && problem !== null && 'status' in problem) {
      return problemError(problem as Problem);
    }
  } catch {
    // a proxy's page, say
  }
  return problemError({ status: response.status, title: `${response.status} ${response.statusText}`.trim() });
}
