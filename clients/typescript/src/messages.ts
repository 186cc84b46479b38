// The API's messages in the gateway's JSON (docs/http.md): names as in the proto, 64-bit numbers as strings of digits,
// durations as "0.012s", times as RFC 3339. A test compares the names with proto/caisson/v1/run.proto.

/** A number of 64 bits, in decimal: JavaScript's numbers end at 2^53. */
export type Int64 = string;
/** "1.5s". */
export type Duration = string;

export interface InputFile {
  path: string;
  /** The file's text. Instead: `content`, base64. */
  text?: string;
  content?: string;
  executable?: boolean;
}

export interface Limits {
  wall_time_ms?: number | Int64;
  cpu_time_ms?: number | Int64;
  memory_bytes?: number | Int64;
  pids?: number | Int64;
  output_bytes?: number | Int64;
  disk_bytes?: number | Int64;
  inode_count?: number | Int64;
  open_files?: number | Int64;
  file_size_bytes?: number | Int64;
  stack_bytes?: number | Int64;
  cpu_millis?: number | Int64;
}

export interface ExecuteRequest {
  profile: string;
  files: InputFile[];
  main_file?: string;
  args?: string[];
  env?: Record<string, string>;
  /** Instead: `stdin`, base64. */
  stdin_text?: string;
  stdin?: string;
  limits?: Limits;
  output_paths?: string[];
  /** Of `create` alone: the same key and body again is the same run. */
  request_id?: string;
  priority?: number;
  labels?: Record<string, string>;
  output_overflow?: 'OUTPUT_OVERFLOW_TRUNCATE' | 'OUTPUT_OVERFLOW_KILL';
  packages?: string[];
}

export type Verdict =
  | 'VERDICT_UNSPECIFIED'
  | 'COMPLETED'
  | 'SIGNALED'
  | 'WALL_TIME_LIMIT'
  | 'CPU_TIME_LIMIT'
  | 'MEMORY_LIMIT'
  | 'OUTPUT_LIMIT'
  | 'SYSCALL_VIOLATION'
  | 'CANCELED'
  | 'COMPILE_FAILED'
  | 'SANDBOX_SETUP_FAILED'
  | 'SERVICE_FAILED';

export type Stream = 'STREAM_STDOUT' | 'STREAM_STDERR';
export type Step = 'compile' | 'run';

export interface LimitHit {
  name: string;
  limit: Int64;
  observed: Int64;
}

/** What the kernel does not give is absent. */
export interface Usage {
  wall_time_ms?: Int64;
  cpu_user_ms?: Int64;
  cpu_system_ms?: Int64;
  memory_peak_bytes?: Int64;
  oom_kills?: Int64;
  pids_peak?: Int64;
  forks_denied?: Int64;
  voluntary_context_switches?: Int64;
  involuntary_context_switches?: Int64;
  memory_anonymous_bytes?: Int64;
  memory_file_bytes?: Int64;
}

export interface Timings {
  queue?: Duration | null;
  setup?: Duration | null;
  start?: Duration | null;
  run?: Duration | null;
  teardown?: Duration | null;
}

export interface Denial {
  kind: string;
  name: string;
  count: Int64;
  args: Int64[];
  killed: boolean;
  decoded_args: string[];
  explanation: string;
  step: string;
}

export interface IsolationFact {
  name: string;
  value: string;
  source: string;
}

export interface Isolation {
  tier: string;
  facts: IsolationFact[];
  accepted_degradations: string[];
  learning: boolean;
  root: string;
}

export interface StepResult {
  step: string;
  verdict: Verdict;
  exit_code?: number;
  signal?: number;
  usage?: Usage | null;
  timings?: Timings | null;
  diagnostics: string;
  limit?: LimitHit | null;
}

export interface StreamCount {
  bytes: Int64;
  delivered_bytes: Int64;
  truncated: boolean;
}

export interface CollectedFile {
  path: string;
  size_bytes: Int64;
  digest: string;
  executable: boolean;
}

export interface RefusedOutput {
  path: string;
  reason: string;
  message: string;
}

export interface RunResult {
  verdict: Verdict;
  exit_code?: number;
  signal?: number;
  message: string;
  ended_by: string;
  limit?: LimitHit | null;
  usage?: Usage | null;
  steps: StepResult[];
  timings?: Timings | null;
  isolation?: Isolation | null;
  denials: Denial[];
  stdout?: StreamCount | null;
  stderr?: StreamCount | null;
  outputs: CollectedFile[];
  refused_outputs: RefusedOutput[];
  refused_outputs_unlisted: Int64;
  outputs_incomplete: boolean;
}

export interface Run {
  name: string;
  profile: string;
  state: 'STATE_UNSPECIFIED' | 'QUEUED' | 'PREPARING' | 'RUNNING' | 'FINISHED';
  create_time?: string | null;
  end_time?: string | null;
  result?: RunResult | null;
  labels: Record<string, string>;
  request_id: string;
  followable: boolean;
  tenant: string;
  traceparent: string;
}

export interface Profile {
  name: string;
  display_name: string;
  description: string;
  toolchain_version: string;
  file_extension: string;
  default_main_file: string;
  hello_program: string;
  available: boolean;
  unavailable_reason: string;
  default_limits?: Limits | null;
  ceilings?: Limits | null;
  steps: string[];
  interactive: boolean;
  networks: string[];
  packages: string[];
  variant_of: string;
  root: string;
  root_digest: string;
}

export interface ServerInfo {
  version: string;
  api_revision: string;
  max_runs: number;
  queue_length: number;
  memory_budget_bytes: Int64;
  max_request_bytes: Int64;
  features: string[];
  cgroup_backend: string;
  landlock_abi: number;
  runs_active: number;
  runs_queued: number;
  tenant: string;
  role: string;
}

/** A whole run, as `run` returns it. */
export interface Answer {
  name: string;
  /** Where the bytes are UTF-8; else `stdout_base64`. The same for stderr. */
  stdout?: string;
  stdout_base64?: string;
  stderr?: string;
  stderr_base64?: string;
  output_files: AnswerFile[];
  compile?: { stdout?: string; stdout_base64?: string; stderr?: string; stderr_base64?: string };
  result: RunResult;
}

export interface AnswerFile {
  path: string;
  executable: boolean;
  text?: string;
  base64?: string;
}
