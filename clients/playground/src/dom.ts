// The few ways in which this page touches the DOM. Text from outside goes in as text only; nothing here parses markup.

export function byId<T extends HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`#${id} is missing from the page`);
  return found as T;
}

/** An element with classes ("p.note") and children. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K, className = '', ...children: (Node | string)[]): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  if (className !== '') made.className = className;
  made.append(...children);
  return made;
}

/** The value of the chosen radio button. */
export function chosen(name: string): string {
  return document.querySelector<HTMLInputElement>(`input[name="${name}"]:checked`)?.value ?? '';
}

export function choose(name: string, value: string): void {
  const button = document.querySelector<HTMLInputElement>(`input[name="${name}"][value="${value}"]`);
  if (button !== null) button.checked = true;
}
