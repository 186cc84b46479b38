// The editor in the dark. Every colour has a contrast of 4.5 or more to the background and to the active line (WCAG 2.1, AA).
import { HighlightStyle, syntaxHighlighting } from '@codemirror/language';
import type { Extension } from '@codemirror/state';
import { EditorView } from '@codemirror/view';
import { tags } from '@lezer/highlight';

const look = EditorView.theme({
  '&': { color: '#e4e8ec', backgroundColor: '#181d23' },
  '.cm-content': { caretColor: '#ffffff' },
  '.cm-cursor, .cm-dropCursor': { borderLeftColor: '#ffffff' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': { backgroundColor: '#2f4a5c' },
  '.cm-activeLine': { backgroundColor: '#20272f' },
  '.cm-gutters': { backgroundColor: '#181d23', color: '#a9b3bd', border: 'none' },
  '.cm-activeLineGutter': { backgroundColor: '#20272f', color: '#e4e8ec' },
  '.cm-matchingBracket, &.cm-focused .cm-matchingBracket': { backgroundColor: '#35505f' },
  '.cm-panels, .cm-tooltip': { backgroundColor: '#20272f', color: '#e4e8ec' },
  '.cm-searchMatch': { backgroundColor: '#5a4a12' },
}, { dark: true });

const colours = HighlightStyle.define([
  { tag: [tags.keyword, tags.modifier, tags.controlKeyword], color: '#d7a8f0' },
  { tag: [tags.string, tags.special(tags.string), tags.regexp, tags.character], color: '#a5d68a' },
  { tag: [tags.number, tags.bool, tags.null, tags.atom], color: '#f0b37e' },
  { tag: [tags.comment, tags.meta], color: '#a9b3bd', fontStyle: 'italic' },
  { tag: [tags.function(tags.variableName), tags.function(tags.propertyName), tags.macroName], color: '#82c7f5' },
  { tag: [tags.typeName, tags.className, tags.namespace], color: '#f0d28a' },
  { tag: [tags.propertyName, tags.attributeName, tags.definition(tags.variableName)], color: '#9fdde6' },
  { tag: tags.invalid, color: '#ff8f83' },
]);

export const dark: Extension = [look, syntaxHighlighting(colours)];
