// The page's Content-Security-Policy allows no <style> that a script made, and xterm.js makes two. While it opens a terminal it
// gets elements that look the same to it and keep their rules in a constructed style sheet, which the policy allows.

class AdoptedStyle extends HTMLElement {
  readonly #sheet = new CSSStyleSheet();

  override set textContent(rules: string | null) {
    this.#sheet.replaceSync(rules ?? '');
  }

  override get textContent(): string {
    return '';
  }

  connectedCallback(): void {
    this.hidden = true;
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, this.#sheet];
  }

  disconnectedCallback(): void {
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((sheet) => sheet !== this.#sheet);
  }
}

customElements.define('adopted-style', AdoptedStyle);

export function withAdoptedStyles(action: () => void): void {
  const original = Document.prototype.createElement;
  document.createElement = function createElement(this: Document, name: string, options?: ElementCreationOptions) {
    return name === 'style' ? new AdoptedStyle() : original.call(document, name, options);
  } as typeof document.createElement;
  try {
    action();
  } finally {
    delete (document as Partial<Document>).createElement;
  }
}
