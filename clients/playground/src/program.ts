// What a person writes: the files and what goes with them. Pure.

export interface SourceFile {
  path: string;
  text: string;
}

export interface Program {
  profile: string;
  /** The first is the program. */
  files: SourceFile[];
  args: string;
  stdin: string;
  terminal: boolean;
}

/** The same checks as the daemon's, so that a bad name is told while it is typed. */
export function whyNotAPath(path: string, others: string[]): string | undefined {
  if (path === '') return 'A file needs a name.';
  if (path.length > 200) return 'That name is too long.';
  if (path.startsWith('/') || path.split('/').some((part) => part === '' || part === '.' || part === '..')) {
    return 'A name is relative, without empty parts, "." or "..".';
  }
  if (/[\0-\x1f]/.test(path)) return 'A name has no control characters.';
  return others.includes(path) ? 'There is a file of that name already.' : undefined;
}

/** Splits as a shell would, with quotes and backslashes and nothing else. Throws what is wrong. */
export function splitArguments(text: string): string[] {
  const found: string[] = [];
  let word: string | undefined;
  let quote = '';
  for (let at = 0; at < text.length; ++at) {
    const character = text[at]!;
    if (quote !== '') {
      if (character === quote) {
        quote = '';
      } else if (character === '\\' && quote === '"' && at + 1 < text.length) {
        word += text[++at]!;
      } else {
        word += character;
      }
    } else if (character === '"' || character === "'") {
      quote = character;
      word ??= '';
    } else if (/\s/.test(character)) {
      if (word !== undefined) found.push(word);
      word = undefined;
    } else {
      word = (word ?? '') + (character === '\\' && at + 1 < text.length ? text[++at]! : character);
    }
  }
  if (quote !== '') throw new Error(`The arguments end inside of ${quote}.`);
  if (word !== undefined) found.push(word);
  return found;
}
