// How each profile's programs are coloured. Modes are loaded when they are needed.
import { StreamLanguage } from '@codemirror/language';
import type { Extension } from '@codemirror/state';

const legacy = async (load: Promise<Record<string, unknown>>, name: string): Promise<Extension> => {
  return StreamLanguage.define((await load)[name] as Parameters<typeof StreamLanguage.define>[0]);
};

const MODES: Record<string, () => Promise<Extension>> = {
  python: async () => (await import('@codemirror/lang-python')).python(),
  node: async () => (await import('@codemirror/lang-javascript')).javascript(),
  c: async () => (await import('@codemirror/lang-cpp')).cpp(),
  cpp: async () => (await import('@codemirror/lang-cpp')).cpp(),
  java: async () => (await import('@codemirror/lang-java')).java(),
  go: async () => (await import('@codemirror/lang-go')).go(),
  rust: async () => (await import('@codemirror/lang-rust')).rust(),
  php: async () => (await import('@codemirror/lang-php')).php(),
  bash: () => legacy(import('@codemirror/legacy-modes/mode/shell'), 'shell'),
  ruby: () => legacy(import('@codemirror/legacy-modes/mode/ruby'), 'ruby'),
  perl: () => legacy(import('@codemirror/legacy-modes/mode/perl'), 'perl'),
  lua: () => legacy(import('@codemirror/legacy-modes/mode/lua'), 'lua'),
};

/** For the profile, or the one it is a variant of; plain text for others. */
export async function colours(profile: string, variantOf: string): Promise<Extension> {
  const mode = MODES[profile] ?? MODES[variantOf];
  return mode === undefined ? [] : mode();
}
