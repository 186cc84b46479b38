// The end of a run: what it used, what it was refused, and what held it.
import type { Denial, Isolation, Limits, RunResult, Timings } from 'caisson';

import { make } from './dom.js';
import { bytesInWords, denialInWords, durationMs, millisecondsInWords } from './words.js';

const PHASES: [keyof Timings, string][] = [
  ['queue', 'waiting'], ['setup', 'building the sandbox'], ['start', 'starting'], ['run', 'running'], ['teardown', 'clearing up'],
];

export function showResult(host: HTMLElement, result: RunResult, limits: Limits): void {
  const parts: Node[] = [...gauges(result, limits), ...timeline(result)];
  if (result.denials.length > 0) parts.push(denials(result.denials));
  if (result.refused_outputs.length > 0 || result.outputs.length > 0) parts.push(outputs(result));
  if (result.isolation != null) parts.push(isolation(result.isolation));
  host.replaceChildren(...parts);
  host.hidden = false;
}

function gauges(result: RunResult, limits: Limits): Node[] {
  const usage = result.usage;
  if (usage == null) return [];
  const cpu = Number(usage.cpu_user_ms ?? 0) + Number(usage.cpu_system_ms ?? 0);
  const list = make('div', 'gauges');
  if (usage.wall_time_ms !== undefined) {
    list.append(gauge('Time', Number(usage.wall_time_ms), Number(limits.wall_time_ms ?? 0), millisecondsInWords));
  }
  if (usage.cpu_user_ms !== undefined) {
    list.append(gauge('Processor', cpu, Number(limits.cpu_time_ms ?? 0), millisecondsInWords));
  }
  if (usage.memory_peak_bytes !== undefined) {
    list.append(gauge('Memory', Number(usage.memory_peak_bytes), Number(limits.memory_bytes ?? 0), bytesInWords));
  }
  return [list];
}

function gauge(name: string, value: number, limit: number, words: (value: number) => string): HTMLElement {
  const text = limit > 0 ? `${words(value)} of ${words(limit)}` : words(value);
  const share = limit > 0 ? Math.min(value / limit, 1) : 0;
  const bar = make('span', share > 0.9 ? 'bar full' : 'bar', make('span', 'fill'));
  (bar.firstElementChild as HTMLElement).style.width = `${Math.max(share * 100, 0.5)}%`;
  bar.setAttribute('aria-hidden', 'true');
  return make('div', 'gauge', make('span', 'name', name), bar, make('span', 'value', text));
}

/** One bar from the request to everything being dead, a piece for each phase of the last step. */
function timeline(result: RunResult): Node[] {
  const steps = result.steps.filter((step) => step.timings != null);
  const bars = steps.length > 0 ? steps : result.timings == null ? [] : [{ step: 'run', timings: result.timings }];
  return bars.map(({ step, timings }) => {
    const phases = PHASES.map(([key, name]) => ({ key, name, ms: durationMs(timings?.[key]) })).filter(({ ms }) => ms > 0);
    const total = phases.reduce((sum, { ms }) => sum + ms, 0);
    const bar = make('div', 'timeline');
    bar.setAttribute('aria-hidden', 'true');
    const legend = make('p', 'legend', make('b', '', bars.length > 1 ? `${step}: ` : 'Took: '), millisecondsInWords(total));
    for (const { key, name, ms } of phases) {
      const piece = make('span', `phase ${key}`);
      piece.style.flexGrow = String(ms / total);
      piece.title = `${name}: ${millisecondsInWords(ms)}`;
      bar.append(piece);
      legend.append(make('span', 'entry', make('span', `swatch ${key}`), `${name} ${millisecondsInWords(ms)}`));
    }
    return make('div', 'timing', bar, legend);
  });
}

function denials(list: Denial[]): HTMLElement {
  const items = list.map((denial) => {
    const item = make('li', '', make('code', '', denialInWords(denial)));
    if (denial.explanation !== '') item.append(make('p', '', denial.explanation));
    return item;
  });
  const details = make('details', 'denials', make('summary', '', `Refused by the sandbox: ${list.length}`), make('ul', '', ...items));
  details.open = true;
  return details;
}

function outputs(result: RunResult): HTMLElement {
  const items = [
    ...result.outputs.map(({ path, size_bytes }) => make('li', '', make('code', '', path), ` ${bytesInWords(Number(size_bytes))}`)),
    ...result.refused_outputs.map(({ path, message }) => make('li', '', make('code', '', path), ` not collected: ${message}`)),
  ];
  return make('details', 'outputs', make('summary', '', 'Files'), make('ul', '', ...items));
}

const SOURCES: Record<string, string> = {
  KERNEL_READ: 'read from the kernel', PROBE: 'tried from inside', LOADED: 'given to the kernel',
};

function isolation(of: Isolation): HTMLElement {
  const rows = of.facts.map(({ name, value, source }) =>
    make('tr', '', head('row', name), make('td', '', make('code', '', value)), make('td', '', SOURCES[source] ?? source)));
  const table = make('table', '',
    make('thead', '', make('tr', '', head('col', 'Fact'), head('col', 'Value'), head('col', 'How it is known'))), make('tbody', '', ...rows));
  const scroll = make('div', 'scroll', table);
  scroll.tabIndex = 0;
  scroll.setAttribute('role', 'region');
  scroll.setAttribute('aria-label', 'Isolation in force');
  return make('details', 'isolation', make('summary', '', `What held it: ${of.facts.length} facts`), scroll);
}

function head(scope: string, text: string): HTMLElement {
  const cell = make('th', '', text);
  cell.scope = scope;
  return cell;
}
