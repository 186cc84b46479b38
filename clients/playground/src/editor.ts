// The editor and its tabs: one file shown, all of them kept with their history. It lives in a shadow root, where its styles
// need no <style> element, which the page's Content-Security-Policy refuses.
import { indentWithTab } from '@codemirror/commands';
import { Compartment, EditorState, type Extension } from '@codemirror/state';
import { EditorView, keymap } from '@codemirror/view';
import { basicSetup } from 'codemirror';

import { dark } from './dark.js';
import { byId, make } from './dom.js';
import { whyNotAPath, type SourceFile } from './program.js';

const LOOK = EditorView.theme({
  '&': { height: '100%', fontSize: '14px' },
  '.cm-scroller': { fontFamily: 'ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace', overflow: 'auto' },
});

interface OpenFile {
  path: string;
  state: EditorState;
}

export class Editor {
  readonly #tabs = byId('tabs');
  readonly #panel = byId('editor');
  readonly #view: EditorView;
  readonly #colours = new Compartment();
  readonly #theme = new Compartment();
  readonly #notice: (text: string) => void;
  #languageNow: Extension = [];
  #themeNow: Extension = [];
  #files: OpenFile[] = [];
  #shown = 0;

  /** `changed` after every edit, `notice` for what is wrong with a name. */
  constructor(changed: () => void, notice: (text: string) => void) {
    this.#notice = notice;
    this.#onEdit = EditorView.updateListener.of((update) => {
      if (update.docChanged) changed();
    });
    const root = this.#panel.attachShadow({ mode: 'open' });
    const parent = make('div');
    parent.style.height = '100%';
    root.append(parent);
    this.#view = new EditorView({ state: this.#stateOf(''), parent, root });
    byId('add-file').addEventListener('click', () => {
      this.#add();
      changed();
    });
    this.#changed = changed;
  }

  readonly #onEdit: Extension;
  readonly #changed: () => void;

  /** Replaces every file, history included. */
  open(files: SourceFile[]): void {
    this.#files = files.map(({ path, text }) => ({ path, state: this.#stateOf(text) }));
    this.#shown = 0;
    this.#view.setState(this.#files[0]!.state);
    this.#refresh();
    this.#drawTabs();
  }

  files(): SourceFile[] {
    this.#keep();
    return this.#files.map(({ path, state }) => ({ path, text: state.doc.toString() }));
  }

  setColours(language: Extension): void {
    this.#languageNow = language;
    this.#refresh();
  }

  setDark(isDark: boolean): void {
    this.#themeNow = isDark ? dark : [];
    this.#refresh();
  }

  focus(): void {
    this.#view.focus();
  }

  #stateOf(text: string): EditorState {
    return EditorState.create({
      doc: text,
      extensions: [
        basicSetup,
        keymap.of([indentWithTab]),
        LOOK,
        this.#colours.of(this.#languageNow),
        this.#theme.of(this.#themeNow),
        EditorView.contentAttributes.of({ 'aria-label': 'Program text', tabindex: '0' }),
        this.#onEdit,
      ],
    });
  }

  #refresh(): void {
    this.#view.dispatch({
      effects: [this.#colours.reconfigure(this.#languageNow), this.#theme.reconfigure(this.#themeNow)],
    });
  }

  #keep(): void {
    const file = this.#files[this.#shown];
    if (file !== undefined) file.state = this.#view.state;
  }

  #show(index: number): void {
    this.#keep();
    this.#shown = index;
    this.#view.setState(this.#files[index]!.state);
    this.#refresh();
    this.#drawTabs();
  }

  /** Shows it and leaves the keyboard with its tab, which is drawn anew. */
  #go(index: number): void {
    if (index !== this.#shown) this.#show(index);
    byId(`tab-${index}`).focus();
  }

  #add(): void {
    let number = 1;
    while (this.#files.some(({ path }) => path === `file${number}.txt`)) ++number;
    this.#files.push({ path: `file${number}.txt`, state: this.#stateOf('') });
    this.#show(this.#files.length - 1);
    this.#rename(this.#shown);
  }

  #remove(index: number): void {
    this.#keep();
    this.#files.splice(index, 1);
    const next = Math.min(index, this.#files.length - 1);
    this.#shown = next;
    this.#view.setState(this.#files[next]!.state);
    this.#refresh();
    this.#drawTabs();
    this.#changed();
  }

  /** The tab becomes a field until Enter, Escape or the focus's leaving. */
  #rename(index: number): void {
    const file = this.#files[index]!;
    const field = make('input', 'rename');
    field.value = file.path;
    field.setAttribute('aria-label', 'Name of the file');
    this.#tabs.children[index]!.replaceChildren(field);
    let done = false;
    const finish = (keep: boolean): void => {
      if (done) return;
      done = true;
      const wrong = whyNotAPath(field.value, this.#files.filter((other) => other !== file).map(({ path }) => path));
      if (keep && wrong === undefined) {
        file.path = field.value;
        this.#changed();
      } else if (keep) {
        this.#notice(wrong!);
      }
      this.#drawTabs();
      this.focus();
    };
    field.addEventListener('keydown', (event) => {
      event.stopPropagation();
      if (event.key !== 'Enter' && event.key !== 'Escape') return;
      event.preventDefault();  // the editor has the focus next, and would take the key for its own
      finish(event.key === 'Enter');
    });
    field.addEventListener('blur', () => finish(true));
    field.focus();
    field.select();
  }

  #drawTabs(): void {
    this.#tabs.replaceChildren(...this.#files.map(({ path }, index) => {
      const shown = index === this.#shown;
      const button = make('button', 'tab', path);
      button.id = `tab-${index}`;
      button.setAttribute('role', 'tab');
      button.setAttribute('aria-selected', String(shown));
      button.setAttribute('aria-controls', 'editor');
      button.tabIndex = shown ? 0 : -1;
      button.title = index === 0 ? `${path}: the program. F2 renames` : `${path}: F2 renames, Delete removes`;
      button.addEventListener('click', () => this.#go(index));
      button.addEventListener('dblclick', () => this.#rename(index));
      button.addEventListener('keydown', (event) => this.#key(event, index));
      return make('span', 'tab-place', button);
    }));
    this.#tabs.querySelectorAll('.tab-place').forEach((place) => place.setAttribute('role', 'presentation'));
    this.#panel.setAttribute('aria-labelledby', `tab-${this.#shown}`);
  }

  #key(event: KeyboardEvent, index: number): void {
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    if (step !== 0) {
      this.#go((index + step + this.#files.length) % this.#files.length);
    } else if (event.key === 'F2') {
      this.#rename(index);
    } else if (event.key === 'Delete' && index > 0) {
      this.#remove(index);
      byId(`tab-${this.#shown}`).focus();
    }
  }
}
