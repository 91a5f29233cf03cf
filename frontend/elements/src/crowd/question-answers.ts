/**
 * <crowd-question-answer-generation>: write questions about a text with their answers, and mark where in the text they come from.
 *
 * Attributes: name, text, min-questions, max-questions, question-min-words, question-max-words, answer-min-words,
 * answer-max-words, question-tags (JSON: texts), allow-custom-question-tags, header, instructions (a text), crowd-form-element-id
 * (the form that the element belongs to without standing in it), disabled.
 * Children: <short-instructions>, <full-instructions header>.
 * `value`: {questionAnswerPairs: [{question, answer, questionTags, textReferences: [{startOffset, endOffset, text}]}]}; offsets count
 * Unicode code points.
 */
import { html, nothing } from "lit";
import { property, query, state } from "lit/decorators.js";
import { type Limits, type Pair, type QuestionsAnswer, type Quote, type Range, fit, lack, noPair, placesOf, questionsAnswer, quoteOf, wordsIn } from "../answers/questions";
import { icon } from "../kit/icons";
import { parseLenient } from "../labels/labels";
import { crowdPart } from "./registry";
import { type Lack, StepsElement } from "./steps-element";
import { msg, str } from "../locale";

const range = (least: number, most: number | undefined): Range => ({ least, most: most !== undefined && most > 0 ? most : null });
const wordsOf = (count: number) => `${count} ${count === 1 ? "word" : "words"}`;

@crowdPart("crowd-question-answer-generation")
export class CrowdQuestionAnswers extends StepsElement<Pair[], string> {
  @property() text = "";
  @property() instructions = "";
  @property({ type: Number, attribute: "min-questions" }) minQuestions = 1;
  @property({ type: Number, attribute: "max-questions" }) maxQuestions?: number;
  @property({ type: Number, attribute: "question-min-words" }) questionMinWords = 1;
  @property({ type: Number, attribute: "question-max-words" }) questionMaxWords?: number;
  @property({ type: Number, attribute: "answer-min-words" }) answerMinWords = 1;
  @property({ type: Number, attribute: "answer-max-words" }) answerMaxWords?: number;
  @property({ attribute: "question-tags" }) questionTags: unknown = null;
  @property({ attribute: "allow-custom-question-tags" }) allowCustom: unknown = null;
  @property({ attribute: "crowd-form-element-id", reflect: true }) formId = "";

  protected override readonly labelsProperty = "questionTags";
  protected override readonly subject = "text";
  protected override readonly ownKeys = [{ keys: msg("Shift + arrows in the text"), does: msg("select words") }, { keys: msg("Alt + Q"), does: msg("quote what is selected") }];
  private tags: string[] = [];
  /** The pair that quotes go to. */
  @state() private current = 0;
  @query(".paper textarea") private page?: HTMLTextAreaElement;

  get value(): QuestionsAnswer | null {
    return this.steps && !lack(this.steps.now, this.limits) ? questionsAnswer(this.steps.now, this.text) : null;
  }

  private get limits(): Limits {
    return {
      pairs: range(this.minQuestions, this.maxQuestions),
      question: range(this.questionMinWords, this.questionMaxWords),
      answer: range(this.answerMinWords, this.answerMaxWords),
    };
  }

  private get ownTags(): boolean { return this.allowCustom !== null && this.allowCustom !== false && this.allowCustom !== "false"; }

  protected override get watched(): readonly string[] { return [...super.watched, "text"]; }
  protected override get hasTarget(): boolean { return this.text !== ""; }
  protected override loadTarget(): Promise<string> { return Promise.resolve(this.text); }

  protected override readLabels(): void {
    const raw = typeof this.questionTags === "string" && this.questionTags ? parseLenient(this.questionTags, "question-tags") : (this.questionTags ?? []);
    if (!Array.isArray(raw)) throw new Error('The attribute "question-tags" is not a list.');
    this.tags = [...new Set(raw.map(String))];
  }

  protected override first(): Pair[] { return [noPair()]; }
  protected override fits(pairs: Pair[]): boolean { return fit(pairs, [...this.text].length); }

  protected override lacks(pairs: Pair[]): Lack | null {
    const found = lack(pairs, this.limits);
    return found && { says: found.says, id: `${found.part}-${found.at}` };
  }

  // ---- what the worker does

  private change(at: number, part: Partial<Pair>, place: string | null = null): void {
    if (this.steps) this.go(this.steps.now.map((pair, here) => (here === at ? { ...pair, ...part } : pair)), place);
  }

  private add(): void {
    if (!this.steps) return;
    this.go([...this.steps.now, noPair()]);
    this.current = this.steps.now.length - 1;
    void this.updateComplete.then(() => this.renderRoot.querySelector<HTMLElement>(`#question-${this.current}`)?.focus());
  }

  private drop(at: number): void {
    if (!this.steps) return;
    this.go(this.steps.now.filter((_, here) => here !== at));
    this.current = Math.max(0, Math.min(this.current, this.steps.now.length - 1));
    this.say(msg(str`Question ${at + 1} is removed.`));
    void this.updateComplete.then(() => this.renderRoot.querySelector<HTMLElement>("#add")?.focus());
  }

  private addTag(at: number, field: HTMLInputElement): void {
    const tag = field.value.trim();
    field.value = "";
    const tags = this.steps?.now[at]?.tags ?? [];
    if (tag && !tags.includes(tag)) this.change(at, { tags: [...tags, tag] });
  }

  /** Quotes what is selected in the text, without the white space around it. */
  private quote(at: number): void {
    const { page, text } = this;
    const pair = this.steps?.now[at];
    if (!page || !pair) return;
    const quote = quoteOf(text, page.selectionStart, page.selectionEnd);
    if (!quote) return this.say(msg("Select words in the text first."));
    const { start, end } = quote;
    if (!pair.quotes.some((one) => one.start === start && one.end === end)) this.change(at, { quotes: [...pair.quotes, quote].sort((a, b) => a.start - b.start) });
    this.say(msg(str`Quoted for question ${at + 1}: ${this.between(quote)}`));
  }

  private between({ start, end }: Quote): string { return [...this.text].slice(start, end).join(""); }

  private show(quote: Quote): void {
    this.page?.focus();
    this.page?.setSelectionRange(...placesOf(this.text, quote));
  }

  protected override keydown(event: KeyboardEvent): void {
    if (!event.altKey || event.code !== "KeyQ" || this.disabled) return super.keydown(event);
    event.preventDefault();
    this.quote(this.current);
  }

  // ---- what is seen

  /** The text stands in a field that takes no input: in one that is `readonly` browsers do not let keys move the cursor. */
  protected override target() {
    return html`<div class="paper">${this.instructions ? html`<p class="instructions">${this.instructions}</p>` : nothing}
      <textarea inputmode="none" aria-readonly="true" aria-label=${msg("Text to ask about")} .value=${this.text} @beforeinput=${(event: Event) => event.preventDefault()}
        @input=${(event: Event) => ((event.target as HTMLTextAreaElement).value = this.text)}></textarea></div>`;
  }

  protected override sheet(pairs: Pair[]) {
    const { most } = this.limits.pairs;
    return html`${pairs.map((pair, at) => this.card(pair, at))}
      <section><button type="button" id="add" ?disabled=${this.disabled || (most !== null && pairs.length >= most)} @click=${this.add}>${msg(str`${icon("plus")} Add a question`)}</button></section>`;
  }

  private card(pair: Pair, at: number) {
    const one = at + 1;
    return html`<fieldset class="card ${at === this.current ? "on" : ""}" ?disabled=${this.disabled} @focusin=${() => (this.current = at)}>
      <legend>${msg(str`Question ${one}`)}</legend>
      ${this.words(pair, at, "question", msg("Question"))} ${this.words(pair, at, "answer", msg("Answer"))}
      ${this.tags.length > 0 || this.ownTags ? this.tagsOf(pair, at) : nothing}
      <ul class="quotes" aria-label=${msg(str`Quotes for question ${one}`)}>${pair.quotes.map((quote, place) => html`<li>
        <button type="button" class="go" @click=${() => this.show(quote)}><span>“${this.between(quote)}”</span></button>
        <button type="button" class="plain" aria-label=${msg(str`Remove quote ${place + 1} of question ${one}`)}
          @click=${() => this.change(at, { quotes: pair.quotes.filter((other) => other !== quote) })}>${icon("trash")}</button></li>`)}</ul>
      <button type="button" title=${msg("Alt + Q")} @click=${() => this.quote(at)}>${msg("Quote what is selected")}</button>
      <button type="button" class="plain" aria-label=${msg(str`Remove question ${one}`)} @click=${() => this.drop(at)}>${icon("trash")}</button>
    </fieldset>`;
  }

  private words(pair: Pair, at: number, part: "question" | "answer", title: string) {
    const id = `${part}-${at}`;
    return html`<label for=${id}>${title} <small>${wordsOf(wordsIn(pair[part]))}</small></label>
      <textarea id=${id} rows="2" aria-label="${title} ${at + 1}" .value=${pair[part]}
        @input=${(event: Event) => this.change(at, { [part]: (event.target as HTMLTextAreaElement).value }, id)}></textarea>`;
  }

  private tagsOf(pair: Pair, at: number) {
    const shown = [...this.tags, ...pair.tags.filter((tag) => !this.tags.includes(tag))];
    const flip = (tag: string, on: boolean) => this.change(at, { tags: on ? shown.filter((one) => one === tag || pair.tags.includes(one)) : pair.tags.filter((one) => one !== tag) });
    return html`<div role="group" aria-label=${msg(str`Tags of question ${at + 1}`)}>
      ${shown.map((tag) => html`<label class="tick"><input type="checkbox" .checked=${pair.tags.includes(tag)}
        @change=${(event: Event) => flip(tag, (event.target as HTMLInputElement).checked)} />${tag}</label>`)}
      ${this.ownTags ? html`<input type="text" aria-label=${msg(str`Tag of your own for question ${at + 1}`)} placeholder=${msg("A tag of your own, then Enter")}
        @keydown=${(event: KeyboardEvent) => { if (event.key === "Enter" && !event.ctrlKey) { event.preventDefault(); this.addTag(at, event.target as HTMLInputElement); } }} />` : nothing}</div>`;
  }
}
