/**
 * What all elements have in which something is drawn on a picture: the attributes, the canvas with its workbench, the toolbar, the
 * labels, the mark that there is nothing to label. A subclass gives the tool and what stands beside the canvas.
 *
 * Attributes: name, src, labels, header, initial-value, disabled; image-width and image-height where the picture that is
 * served is scaled and the answer is wanted in other pixels; tell-modified. Children: <short-instructions>, <full-instructions header>.
 */
import { html, nothing } from "lit";
import { property, query, state } from "lit/decorators.js";
import { type IconName, iconStyles } from "../kit/icons";
import { parseLabels } from "../labels/labels";
import type { Size } from "../picture/plane";
import type { Listener } from "../shapes/editor";
import type { TaskInput } from "./element";
import { applied, keymap, refusal } from "./keymap";
import { type Keys, type Line, type Plain, keysOf } from "./keys";
import { DeepView } from "./deep-view";
import { type Light, PLAIN_LIGHT, lightPanel } from "./light";
import { palette } from "./panels";
import { PictureElement } from "./picture-element";
import { shapeStyles, tokens, toolStyles } from "./styles";
import type { Tool } from "./tool";
import { toolbar } from "./toolbar";
import { Workbench } from "./workbench";
import { msg, str } from "../locale";

/** For a shape whose label is none of the task's. */
const FALLBACK_COLOUR = "#c9c9c9";

export abstract class DrawingElement<Draft, T extends Tool> extends PictureElement<Draft> {
  static override styles = [tokens, iconStyles, toolStyles, shapeStyles];

  @property() labels: unknown = null;
  @property({ type: Number, attribute: "image-width" }) imageWidth = 0;
  @property({ type: Number, attribute: "image-height" }) imageHeight = 0;
  /** Whether the answer says if an initial value was changed also where Ground Truth's does not. Our own. */
  @property({ type: Boolean, attribute: "tell-modified" }) tellModified = false;

  @state() protected listOpen = false;
  @query(".canvas") protected canvas!: HTMLDivElement;

  protected override readonly labelsProperty: string = "labels";
  protected bench: Workbench | null = null;
  protected tool: T | null = null;
  private input: TaskInput | null = null;
  /** All values of a grey picture of 16 bits, once the worker asks how the picture is shown. */
  private readonly deep = new DeepView((image) => this.bench?.setImage(image), () => this.requestUpdate());

  // ---- what a subclass says

  /** The words for one and several of what is drawn, for buttons and screen readers. */
  protected abstract readonly words: { one: string; many: string };
  /** How the button of drawing looks, and what it says beside its name. */
  protected abstract readonly drawing: { glyph: IconName; how: string };
  /** What a screen reader says of the keys when the canvas gets the focus. */
  protected abstract readonly how: string;
  protected abstract makeTool(size: Size, listener: Listener): T;
  /** Begins with an initial value and then with the draft that waits. Throws an Error that the worker sees. */
  protected abstract fill(tool: T, initial: unknown): void;
  /** The list beside the canvas. */
  protected abstract list(): unknown;
  /** Buttons on the canvas, and a hint over it. */
  protected abstract overlay(): unknown;
  /** Buttons of several ways to draw, instead of the one button. */
  protected modes(): unknown { return undefined; }
  /** What the slider of the filling is called. */
  protected readonly filling: string = msg("Filling");

  /** What single keys mean where the worker has chosen nothing else. */
  protected abstract readonly usual: Keys;
  abstract override readonly hotkeys: readonly Line[];

  /** Nothing can be changed now. */
  protected get locked(): boolean { return this.disabled; }

  // ---- the interface of crowd elements

  get task(): TaskInput | null { return this.input; }

  set task(task: TaskInput | null) {
    this.input = task;
    if (!task) return;
    this.src = task.image_url ?? "";
    this.labels = task.labels;
    this.initialValue = task.initial_value;
    this.imageWidth = task.image_size.width;
    this.imageHeight = task.image_size.height;
  }

  get empty(): boolean { return (this.tool?.editor.count ?? 0) === 0; }
  get canUndo(): boolean { return this.tool?.editor.canUndo ?? false; }
  get canRedo(): boolean { return this.tool?.editor.canRedo ?? false; }
  /** The keys of a command, as people write them. */
  protected key(action: Plain): string { return keysOf(action, this.keys); }
  protected get keys(): Keys { return applied(this.usual, keymap.of(this.localName)); }

  /** Why a command cannot have a key, in words; empty if it can. */
  refuses(action: Plain, key: string): string {
    return refusal(action, key, { usual: this.usual, chosen: keymap.of(this.localName), lines: this.hotkeys, labels: this.known });
  }

  /** Has a command use a key from now on, in all elements of this kind. Returns why not, in words; empty if it does. */
  rebind(action: Plain, key: string): string {
    const refused = this.refuses(action, key);
    if (!refused) keymap.choose(this.localName, { ...keymap.of(this.localName), [action]: key });
    return refused;
  }

  undo(): void { this.tool?.editor.undo(); }
  redo(): void { this.tool?.editor.redo(); }

  /** Puts the keyboard on the canvas, where all keys of the tool work. */
  override focus(): void {
    this.canvas?.focus({ preventScroll: true });
  }

  protected override focusRefused(): void {
    this.renderRoot.querySelector<HTMLElement>("#nothing")?.focus();
  }

  // ---- life

  protected override readLabels(): void {
    this.known = parseLabels(this.labels ?? [], "labels", keymap.taken(this.localName));
  }

  protected override start(image: HTMLImageElement, initial: unknown): void {
    const size = { width: this.imageWidth || image.naturalWidth, height: this.imageHeight || image.naturalHeight };
    const tool = this.makeTool(size, {
      changed: () => this.changed(),
      shown: () => this.bench?.shown(),
      say: (words) => this.say(words),
    });
    this.fill(tool, initial);
    this.tool = tool;
    this.bench = new Workbench(this.canvas, tool, {
      colour: (label) => this.colour(label),
      update: () => this.requestUpdate(),
      open: (what) => (what === "help" ? this.openKeys() : this.find?.focus()),
      disabled: () => this.locked,
      keys: () => this.keys,
    });
    this.bench.begin(image);
  }

  protected override stop(): void {
    this.deep.forget();
    this.bench?.destroy();
    this.bench = null;
    this.tool = null;
  }

  override updated(changed: Map<string, unknown>): void {
    super.updated(changed);
    if (changed.has("light")) this.bench?.setLight(this.light);
  }

  protected override changed(): void {
    this.bench?.shown(true);
    super.changed();
  }

  protected colour(label: string): string {
    return this.known.find((one) => one.name === label)?.color ?? FALLBACK_COLOUR;
  }

  private choose(at: number): void {
    if (!this.locked) this.tool?.editor.setLabel(at);
    this.requestUpdate();
    this.focus();
  }

  // ---- what is seen

  override render() {
    const editor = this.tool?.editor;
    return html`<div class="root" @keydown=${(event: KeyboardEvent) => this.bench?.keydown(event)} @keyup=${(event: KeyboardEvent) => this.bench?.keyup(event)}>
      ${toolbar({
        header: this.header, bench: this.bench, lightOpen: this.lightOpen, instructions: this.hasInstructions,
        many: this.words.many, ...this.drawing, modes: this.modes(), key: (action) => this.key(action),
        toggleLight: () => this.toggleLight(), help: () => this.openKeys(), openInstructions: () => this.openInstructions(),
      })}
      <div class="main">
        <div class="work">
          <div class="canvas ${this.bench?.cursorClass ?? ""}" tabindex="0" role="application" aria-label=${this.canvasLabel()} aria-describedby="how"></div>
          <span class="sr" id="how">${this.how}</span>
          ${this.notice()} ${this.overlay()}
          ${this.lightOpen ? lightPanel(this.light, (light) => this.setLight(light), this.filling, this.deep.panel()) : nothing}
        </div>
        <div class="side">
          ${this.brief()}
          ${palette({
            labels: this.known, current: editor?.label ?? 0, typed: this.typed,
            onType: (typed) => (this.typed = typed), onChoose: (at) => this.choose(at),
          })}
          ${this.list()}
          ${this.finish()}
        </div>
      </div>
      ${this.dialogs()}
    </div>`;
  }

  private toggleLight(): void {
    this.lightOpen = !this.lightOpen;
    if (this.lightOpen && this.bench) void this.deep.look(this.src);
  }

  private setLight(light: Light): void {
    this.light = light;
    if (light === PLAIN_LIGHT) this.deep.reset();
  }

  protected get counted(): string {
    const count = this.tool?.editor.count ?? 0;
    return `${count} ${count === 1 ? this.words.one : this.words.many}`;
  }

  private canvasLabel(): string {
    return msg(str`Picture to label${this.header ? `: ${this.header}` : ""}. ${this.counted}.`);
  }

  protected hint(words: string) {
    return html`<div class="hint">${words}</div>`;
  }

  private finish() {
    const editor = this.tool?.editor;
    const { many } = this.words;
    return html`<section class="finish">
      <label class="none"><input id="nothing" type="checkbox" .checked=${editor?.nothing ?? false} ?disabled=${(editor?.count ?? 1) > 0 || this.locked}
          aria-describedby="refusal" @change=${(event: Event) => editor?.setNothing((event.target as HTMLInputElement).checked)} />
        <span>${msg("Nothing to label here")}</span></label>
      <button type="button" class="listing" aria-expanded=${this.listOpen ? "true" : "false"} aria-controls="shape-list"
        @click=${() => (this.listOpen = !this.listOpen)}>${many.charAt(0).toUpperCase()}${many.slice(1)} ${editor?.count ?? 0}</button>
      <div id="refusal" aria-live="assertive">${this.refusal ? html`<p class="warn">${this.refusal}</p>` : nothing}</div>
    </section>`;
  }
}
