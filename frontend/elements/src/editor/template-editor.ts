/**
 * <waggle-template-editor>: makes an editor of the form of a worker template that is in it, with what will not work beside it
 * while somebody types, and the page that workers would see. Without the script the form can be filled in and saved all the same.
 *
 * Attributes: `check`, `preview`: addresses. In it: the fields `template`, `hosts` and `sample`; where there are data sets
 * `dataset` (with their addresses as values) and `number`; and places with a `data-part`.
 */
import { type Finding, type Draft, check, sampleOf, shows } from "./check";
import { Code, type Words } from "./code";
import { Preview } from "./preview";
import { msg, str } from "../locale";

const CHECK_AFTER_MS = 500;

export class TemplateEditor extends HTMLElement {
  private code!: Code;
  private preview!: Preview;
  private timer = 0;
  private asked: AbortController | null = null;
  private kept = "";
  private leaving = false;
  /** The draft in the preview. */
  private shown = "";

  connectedCallback(): void {
    const holder = this.place("code");
    const words = JSON.parse(document.getElementById("template-words")?.textContent ?? '{"elements":{},"filters":[]}') as Words;
    const field = this.field("template");
    this.code = new Code(holder.attachShadow({ mode: "open" }), field.value, words, () => this.later());
    field.hidden = true;
    holder.hidden = false;
    this.querySelector(`label[for="${field.id}"]`)?.addEventListener("click", () => this.code.focus());
    this.preview = new Preview(this.place("frame"), this.getAttribute("preview")!, (answer) => this.show(answer));
    for (const name of ["hosts", "sample"]) this.field(name).addEventListener("input", () => this.later());
    // an account without a data set has no such button
    this.querySelector('[data-part="lines"]')?.addEventListener("click", () => void this.takeLine());
    this.place("reload").addEventListener("click", () => this.preview.show(this.draft));
    this.kept = JSON.stringify(this.draft);
    field.form!.addEventListener("submit", () => { field.value = this.code.text; this.leaving = true; });
    window.addEventListener("beforeunload", (event) => { if (!this.leaving && JSON.stringify(this.draft) !== this.kept) event.preventDefault(); });
    void this.look();
  }

  private place(name: string): HTMLElement { return this.querySelector<HTMLElement>(`[data-part="${name}"]`)!; }
  private field(name: string): HTMLTextAreaElement | HTMLInputElement { return this.querySelector<HTMLTextAreaElement>(`[name="${name}"]`)!; }
  private get draft(): Draft { return { template: this.code.text, hosts: this.field("hosts").value, sample: this.field("sample").value }; }

  private later(): void {
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.look(), CHECK_AFTER_MS);
  }

  /** Checks what is typed by now, and shows it if there is a page to show. An answer that comes late is not looked at. */
  private async look(): Promise<void> {
    this.asked?.abort();
    const asked = (this.asked = new AbortController());
    const draft = this.draft;
    if (!draft.template.trim()) return this.list([], msg("Paste a template, or start from one of the gallery."));
    let findings: Finding[];
    try {
      findings = await check(this.getAttribute("check")!, draft, asked.signal);
    } catch (error) {
      console.debug("a newer check is under way", error);
      return;
    }
    if (asked.signal.aborted) return;
    this.code.mark(findings);
    const can = shows(findings);
    this.list(findings, this.words(findings) + (can ? "" : " The preview is that of an earlier text."));
    if (can && this.shown !== JSON.stringify(draft)) {
      this.shown = JSON.stringify(draft);
      this.preview.show(draft);
    }
  }

  private words(findings: readonly Finding[]): string {
    const errors = findings.filter((one) => one.level === "error").length;
    const warnings = findings.length - errors;
    const count = (number: number, one: string) => (number > 0 ? `${number} ${one}${number === 1 ? "" : "s"}` : "");
    return findings.length === 0 ? msg("Nothing found that would not work.") : `${[count(errors, "error"), count(warnings, "warning")].filter(Boolean).join(", ")}.`;
  }

  /** The findings as a list; those with a line lead there. */
  private list(findings: readonly Finding[], words: string): void {
    this.place("state").textContent = words;
    this.place("findings").replaceChildren(...findings.map((one) => {
      const item = document.createElement("li");
      item.dataset["level"] = one.level;
      const level = document.createElement("span");
      level.className = `badge badge-${one.level === "error" ? "bad" : "warn"}`;
      level.textContent = one.level === "error" ? "Error" : "Warning";
      item.append(level);
      if (one.line !== null) {
        const line = one.line;
        const go = document.createElement("button");
        Object.assign(go, { type: "button", className: "btn btn-s btn-ghost", textContent: msg(str`Line ${line}`) });
        go.addEventListener("click", () => this.code.goTo(line));
        item.append(go);
      }
      const message = document.createElement("span");
      message.textContent = one.message;
      item.append(message);
      return item;
    }));
  }

  private show(answer: Record<string, unknown>): void {
    this.place("answer").textContent = JSON.stringify(answer, null, 2);
    this.place("answered").textContent = msg("Submitted in the preview. Nothing was stored.");
  }

  /** Takes an object of a data set for the sample; the labels that the sample had stay. */
  private async takeLine(): Promise<void> {
    const state = this.place("line-state");
    const number = Number(this.field("number").value) - 1;
    const response = await fetch(`${this.field("dataset").value}sample/${number}/line/`, { headers: { Accept: "application/json" } });
    if (!response.ok) {
      state.textContent = response.status === 404 ? msg("The data set has no such object.") : msg(str`That did not work (${response.status}).`);
      return;
    }
    const { line } = (await response.json()) as { line: Record<string, unknown> };
    this.field("sample").value = JSON.stringify({ ...line, labels: this.labels() }, null, 2);
    state.textContent = "";
    void this.look();
  }

  private labels(): unknown {
    try {
      return sampleOf(this.field("sample").value)?.["labels"] ?? [];
    } catch (error) {
      console.debug("the sample before was none", error);
      return [];
    }
  }
}

customElements.define("waggle-template-editor", TemplateEditor);
