// The page: a program on one side, what becomes of it on the other. Everything it shows of a run comes from the gateway that
// served it. Untrusted: the fragment of the address (a link somebody sent), and all that programs print.
import { Caisson, Refused, type Profile, type RunResult } from 'caisson';

import { byId, choose, chosen, make } from './dom.js';
import { Editor } from './editor.js';
import { colours } from './languages.js';
import { OutputView } from './output_view.js';
import type { Program } from './program.js';
import { showResult } from './result_view.js';
import { refusalInWords, RunSession, type RunViews } from './run_session.js';
import { fromFragment, toFragment } from './share.js';
import type { TerminalView } from './terminal_view.js';
import { outcome } from './words.js';

const DRAFT = 'caisson.draft';
const THEME = 'caisson.theme';
const TOKEN = 'caisson.token';

const token = sessionStorage.getItem(TOKEN);
const client = new Caisson({ baseUrl: new URL('.', location.href).href, ...(token === null ? {} : { token }) });
const language = byId<HTMLSelectElement>('language');
const runButton = byId<HTMLButtonElement>('run');
const stopButton = byId<HTMLButtonElement>('stop');
const themeButton = byId<HTMLButtonElement>('theme');
const stateLine = byId('state');
const result = byId('result');
const args = byId<HTMLInputElement>('args');
const stdin = byId<HTMLTextAreaElement>('stdin');
const output = new OutputView(byId('output'));
const editor = new Editor(() => saveDraft(), (text) => notice(text));
const profiles = new Map<string, Profile>();
let session: RunSession | undefined;
let terminal: TerminalView | undefined;
/** What the editor held when its language was chosen: a program that was not touched gives way to the next hello. */
let untouched = '';

function notice(text: string): void {
  const line = byId('notice');
  line.textContent = text;
  line.hidden = text === '';
}

function setState(text: string, kind: 'busy' | 'good' | 'bad' | 'idle'): void {
  stateLine.textContent = text;
  stateLine.dataset['kind'] = kind;
}

function programNow(): Program {
  return {
    profile: language.value, files: editor.files(), args: args.value, stdin: stdin.value, terminal: chosen('mode') === 'terminal',
  };
}

function textNow(): string {
  return JSON.stringify(editor.files());
}

/** Kept in this browser, so that a reload loses nothing. */
function saveDraft(): void {
  try {
    localStorage.setItem(DRAFT, JSON.stringify(programNow()));
  } catch {
    // no room, or not allowed: the page works without
  }
}

function loadDraft(): Program | undefined {
  try {
    const draft = JSON.parse(localStorage.getItem(DRAFT) ?? 'null') as Program | null;
    return draft !== null && profiles.get(draft.profile)?.available === true && draft.files.length > 0 ? draft : undefined;
  } catch {
    return undefined;
  }
}

async function setLanguage(name: string): Promise<void> {
  language.value = name;
  editor.setColours(await colours(name, profiles.get(name)?.variant_of ?? ''));
}

async function openProgram(program: Program): Promise<void> {
  editor.open(program.files);
  args.value = program.args;
  stdin.value = program.stdin;
  choose('mode', program.terminal ? 'terminal' : 'text');
  showMode();
  await setLanguage(program.profile);
}

function helloOf(profile: Profile): Program {
  return {
    profile: profile.name, files: [{ path: profile.default_main_file, text: profile.hello_program }], args: '', stdin: '',
    terminal: false,
  };
}

async function openHello(name: string): Promise<void> {
  await openProgram(helloOf(profiles.get(name)!));
  untouched = textNow();
}

function showMode(): void {
  const isTerminal = chosen('mode') === 'terminal';
  byId('terminal').hidden = !isTerminal;
  byId('output').hidden = isTerminal;
  byId('output-head').hidden = isTerminal;
  stdin.disabled = isTerminal;
}

const views: RunViews = {
  state: setState,
  output: (event, text) => output.add(event.data.stream, text, event.data.step === 'compile'),
  terminal: async (user) => {
    if (terminal === undefined) {
      const { TerminalView } = await import('./terminal_view.js');
      terminal = new TerminalView(byId('terminal'));
    }
    const view = terminal;
    return { ...view.begin(user), write: (bytes) => view.write(bytes) };
  },
};

async function run(): Promise<void> {
  if (session !== undefined || runButton.disabled) return;
  const program = programNow();
  const mine = new RunSession(client, views);
  session = mine;
  runButton.disabled = true;
  stopButton.disabled = false;
  result.hidden = true;
  output.clear();
  notice('');
  showMode();
  try {
    finish(await mine.run(program), program);
  } catch (error) {
    setState(refusalInWords(error), 'bad');
  } finally {
    session = undefined;
    terminal?.end();
    runButton.disabled = false;
    stopButton.disabled = true;
  }
}

function finish(end: RunResult, program: Program): void {
  const { text, good } = outcome(end);
  const cut = [end.stdout, end.stderr].some((count) => count?.truncated === true);
  setState(cut ? `${text} It printed more than may be kept; the rest was left out.` : text, good ? 'good' : 'bad');
  // A terminal shows what a compiler said only here: the compile step has none.
  const diagnostics = end.steps.find((step) => step.step === 'compile')?.diagnostics ?? '';
  showResult(result, end, profiles.get(program.profile)?.default_limits ?? {});
  if (program.terminal && end.verdict === 'COMPILE_FAILED' && diagnostics !== '') {
    result.prepend(make('pre', 'diagnostics', diagnostics));
  }
}

function stop(): void {
  if (session === undefined) return;
  setState('Stopping', 'busy');
  session.stop();
}

async function share(): Promise<void> {
  const fragment = await toFragment(programNow());
  history.replaceState(null, '', `#${fragment}`);
  const told = await navigator.clipboard?.writeText(location.href).then(() => true, () => false);
  notice(told === true ? 'The link is copied. It holds the whole program; nothing was stored anywhere.'
                       : 'The link stands in the address bar. It holds the whole program; nothing was stored anywhere.');
}

function isDark(): boolean {
  const set = document.documentElement.dataset['theme'];
  return set === undefined ? matchMedia('(prefers-color-scheme: dark)').matches : set === 'dark';
}

function applyTheme(): void {
  const dark = isDark();
  editor.setDark(dark);
  themeButton.textContent = dark ? '☀' : '☾';
  themeButton.setAttribute('aria-label', dark ? 'Use light colours' : 'Use dark colours');
}

function toggleTheme(): void {
  const next = isDark() ? 'light' : 'dark';
  document.documentElement.dataset['theme'] = next;
  localStorage.setItem(THEME, next);
  applyTheme();
}

function listLanguages(): void {
  const options = [...profiles.values()].map((profile) => {
    const option = make('option', '', profile.toolchain_version === '' ? profile.display_name
                                                                       : `${profile.display_name} (${profile.toolchain_version})`);
    option.value = profile.name;
    option.disabled = !profile.available;
    if (!profile.available) option.title = profile.unavailable_reason;
    return option;
  });
  language.replaceChildren(...options);
}

/** The program of the link, else the draft, else the first hello. */
async function openFirst(): Promise<void> {
  try {
    const linked = await fromFragment(location.hash);
    if (linked !== undefined) {
      if (profiles.get(linked.profile)?.available !== true) throw new Error(`it needs the profile ${linked.profile}, which is not here`);
      await openProgram(linked);
      notice('This program came with the link. Have a look at it before you run it.');
      return;
    }
  } catch (error) {
    notice(`The link cannot be opened: ${(error as Error).message}.`);
  }
  const draft = loadDraft();
  if (draft !== undefined) {
    await openProgram(draft);
    return;
  }
  const first = profiles.get('python')?.available === true ? 'python' : [...profiles.values()].find((one) => one.available)?.name;
  if (first === undefined) {
    setState('No language is installed on this server.', 'bad');
    return;
  }
  await openHello(first);
}

function listen(): void {
  runButton.addEventListener('click', () => void run());
  stopButton.addEventListener('click', stop);
  byId('share').addEventListener('click', () => void share());
  byId('copy').addEventListener('click', () => void navigator.clipboard?.writeText(output.text()));
  themeButton.addEventListener('click', toggleTheme);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', applyTheme);
  language.addEventListener('change', () => {
    const name = language.value;
    // The same program in another edition of its language, or one that somebody wrote, stays.
    if (textNow() === untouched || untouched === '') {
      void openHello(name);
    } else {
      const hello = helloOf(profiles.get(name)!);
      const kept = editor.files();
      if (kept[0]!.path.split('.').at(-1) !== hello.files[0]!.path.split('.').at(-1)) {
        void openHello(name);
      } else {
        void setLanguage(name);
      }
    }
    saveDraft();
  });
  for (const button of document.querySelectorAll('input[name="mode"]')) button.addEventListener('change', showMode);
  for (const button of document.querySelectorAll('input[name="streams"]')) {
    button.addEventListener('change', () => {
      byId('output').className = chosen('streams');
    });
  }
  for (const field of [args, stdin]) field.addEventListener('input', saveDraft);
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      event.stopPropagation();
      void run();
    } else if (event.key === 'Escape' && event.shiftKey) {
      event.preventDefault();
      stop();
    }
  }, { capture: true });
  byId('token-form').addEventListener('submit', (event) => {
    event.preventDefault();
    // For this tab alone, and until it is closed.
    sessionStorage.setItem(TOKEN, byId<HTMLInputElement>('token').value.trim());
    location.reload();
  });
  addEventListener('hashchange', () => void openFirst());
  addEventListener('pagehide', () => session?.leave());
}

async function begin(): Promise<void> {
  const set = localStorage.getItem(THEME);
  if (set === 'dark' || set === 'light') document.documentElement.dataset['theme'] = set;
  applyTheme();
  listen();
  try {
    const [list, server] = await Promise.all([client.profiles(), client.serverInfo()]);
    for (const profile of list.filter(({ hello_program }) => hello_program !== '')) profiles.set(profile.name, profile);
    byId('server').textContent = `Caisson ${server.version}. Each run has a sandbox of its own, used once.`;
    listLanguages();
    await openFirst();
    language.disabled = false;
    runButton.disabled = false;
  } catch (error) {
    const asksForToken = error instanceof Refused && error.status === 401;
    byId('token-form').hidden = !asksForToken;
    if (asksForToken && token === null) {
      setState('This server asks for a token.', 'idle');
    } else {
      setState(refusalInWords(error), 'bad');
    }
    if (asksForToken) byId('token').focus();
  }
}

void begin();
