/** CodeMirror for worker templates: Liquid in HTML with crowd elements, findings at their lines. Knows nothing of the page. */
import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { html } from "@codemirror/lang-html";
import { liquid } from "@codemirror/lang-liquid";
import { HighlightStyle, bracketMatching, syntaxHighlighting } from "@codemirror/language";
import { type Diagnostic, lintGutter, lintKeymap, setDiagnostics } from "@codemirror/lint";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { EditorState } from "@codemirror/state";
import { EditorView, drawSelection, highlightActiveLine, highlightActiveLineGutter, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import type { Finding } from "./check";

/** What is completed beside HTML's and Liquid's own words: elements with their attributes, and filters. */
export interface Words { elements: Record<string, readonly string[]>; filters: readonly string[] }

/** Colours of the kit, so that they follow light and dark. */
const COLOURS = HighlightStyle.define([
  { tag: [tags.tagName, tags.standard(tags.tagName)], color: "var(--wg-info)", fontWeight: "600" },
  { tag: [tags.attributeName, tags.propertyName], color: "var(--wg-link)" },
  { tag: [tags.string, tags.attributeValue], color: "var(--wg-ok)" },
  { tag: [tags.keyword, tags.controlKeyword, tags.operatorKeyword, tags.processingInstruction], color: "var(--wg-bad)", fontWeight: "600" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--wg-warn)" },
  { tag: [tags.function(tags.variableName), tags.modifier], color: "var(--wg-info)" },
  { tag: [tags.comment, tags.documentMeta], color: "var(--wg-text-2)", fontStyle: "italic" },
]);

const LOOK = EditorView.theme({
  "&": { color: "var(--wg-text)", backgroundColor: "var(--wg-surface)", fontSize: "0.875rem", border: "1px solid var(--wg-line-strong)", borderRadius: "6px", height: "32rem", maxHeight: "70vh" },
  "&.cm-focused": { outline: "3px solid var(--wg-focus)", outlineOffset: "1px" },
  ".cm-scroller": { fontFamily: "var(--wg-font-mono)", overflow: "auto" },
  ".cm-content": { caretColor: "var(--wg-text)" },
  ".cm-cursor": { borderLeftColor: "var(--wg-text)" },
  ".cm-gutters": { color: "var(--wg-text-2)", backgroundColor: "var(--wg-surface-2)", borderRight: "1px solid var(--wg-line)" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "color-mix(in srgb, var(--wg-brand) 9%, transparent)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "color-mix(in srgb, var(--wg-focus) 28%, transparent)" },
  ".cm-tooltip, .cm-panels": { color: "var(--wg-text)", backgroundColor: "var(--wg-surface-2)", borderColor: "var(--wg-line)" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { color: "var(--wg-on-brand)", backgroundColor: "var(--wg-brand)" },
});

function language(words: Words) {
  const tagsOf = Object.entries(words.elements).map(([name, attributes]) => [name, { attrs: Object.fromEntries(attributes.map((one) => [one, null])) }] as const);
  return liquid({
    base: html({ extraTags: Object.fromEntries(tagsOf) }),
    filters: words.filters.map((label) => ({ label, type: "function" })),
  });
}

export class Code {
  private readonly view: EditorView;

  /** Makes the editor within a shadow root, whose style sheets no content security policy forbids. Tab leaves it. */
  constructor(root: ShadowRoot, text: string, words: Words, changed: () => void) {
    const state = EditorState.create({
      doc: text,
      extensions: [
        lineNumbers(), highlightActiveLineGutter(), lintGutter(), history(), drawSelection(), highlightActiveLine(), bracketMatching(), closeBrackets(),
        autocompletion({ activateOnTyping: true }), highlightSelectionMatches(), EditorView.lineWrapping, language(words), syntaxHighlighting(COLOURS), LOOK,
        keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...searchKeymap, ...historyKeymap, ...completionKeymap, ...lintKeymap]),
        EditorView.contentAttributes.of({ "aria-label": "Template", spellcheck: "false", tabindex: "0" }),
        EditorView.updateListener.of((update) => { if (update.docChanged) changed(); }),
      ],
    });
    this.view = new EditorView({ state, parent: root, root });
  }

  get text(): string { return this.view.state.doc.toString(); }

  /** Marks the lines of what was found. A line that is not there any more counts as the last one. */
  mark(findings: readonly Finding[]): void {
    const { doc } = this.view.state;
    const marks = findings.filter((one) => one.line !== null).map((one): Diagnostic => {
      const { from, to } = doc.line(Math.min(Math.max(1, one.line!), doc.lines));
      return { from, to, severity: one.level, message: one.message };
    });
    this.view.dispatch(setDiagnostics(this.view.state, marks.sort((a, b) => a.from - b.from)));
  }

  /** Puts the cursor at the beginning of a line, and the focus there. */
  goTo(line: number): void {
    const { doc } = this.view.state;
    const { from, text } = doc.line(Math.min(Math.max(1, line), doc.lines));
    this.view.dispatch({ selection: { anchor: from + (text.length - text.trimStart().length) }, effects: EditorView.scrollIntoView(from, { y: "center" }) });
    this.view.focus();
  }

  focus(): void { this.view.focus(); }
}
