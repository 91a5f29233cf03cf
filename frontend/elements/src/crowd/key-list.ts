/** <waggle-key-list>: the keys of an element in a dialog; where the element allows it, a worker chooses other ones there. It draws
 *  into the page of its owner, whose styles it uses. */
import { LitElement, html, nothing } from "lit";
import { property, state } from "lit/decorators.js";
import type { Hotkey } from "./element";
import { keymap } from "./keymap";
import { type Line, type Plain, keyOf, written } from "./keys";
import { msg, str } from "../locale";

/** What an element has besides its list of keys if others can be chosen. */
export interface Remappable {
  readonly hotkeys: readonly Line[];
  /** Has a command use a key from now on. Returns why not, in words; empty if it does. `element`: whose command, where the list says. */
  rebind(action: Plain, key: string, element?: string): string | Promise<string>;
}

const MODIFIERS = ["Shift", "Control", "Alt", "AltGraph", "Meta"];

const isRemappable = (owner: object | null): owner is Remappable => owner !== null && "rebind" in owner;

export class WaggleKeyList extends LitElement {
  /** The element whose keys these are. */
  @property({ attribute: false }) owner: { readonly hotkeys: readonly Hotkey[] } | null = null;
  /** Keys of the page around it. */
  @property({ attribute: false }) more: readonly Hotkey[] = [];
  @state() private asking: Line | null = null;
  @state() private said = "";
  private readonly changed = () => this.requestUpdate();

  protected override createRenderRoot(): HTMLElement { return this; }

  override connectedCallback(): void {
    super.connectedCallback();
    keymap.addEventListener("change", this.changed);
    this.addEventListener("keydown", this.onKey);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    keymap.removeEventListener("change", this.changed);
    this.removeEventListener("keydown", this.onKey);
  }

  private readonly onKey = (event: KeyboardEvent): void => {
    const { asking, owner } = this;
    if (!asking?.action || !isRemappable(owner) || event.key === "Tab" || MODIFIERS.includes(event.key)) return;
    event.preventDefault(); // Escape would close the dialog
    event.stopPropagation();
    if (event.key === "Escape") return this.ask(null, msg("Nothing changed."));
    if (event.ctrlKey || event.metaKey || event.altKey) return this.ask(asking, msg("Choose a key without Ctrl or Alt."));
    void this.choose(owner, asking, keyOf(event));
  };

  private async choose(owner: Remappable, line: Line, key: string): Promise<void> {
    const refused = await owner.rebind(line.action!, key, line.element);
    if (this.asking === line) this.ask(refused ? line : null, refused || `${written(key)}: ${line.does}.`);
  }

  private ask(line: Line | null, said: string): void {
    this.asking = line;
    this.said = said;
  }

  /** The elements whose keys the list has. */
  private get elements(): string[] {
    const own = this.owner && "localName" in this.owner ? String(this.owner.localName) : "";
    return [...new Set(((this.owner?.hotkeys ?? []) as readonly Line[]).filter(({ action }) => action).map(({ element }) => element ?? own))];
  }

  private button(line: Line) {
    const { action, does, keys } = line;
    if (!action || action === "help" || action === "cancel" || action === "confirm") return nothing;
    const asking = this.asking?.action === action && this.asking.element === line.element;
    return html`<button type="button" class="plain change" aria-label=${msg(str`Change the key ${keys}`)} aria-pressed=${asking ? "true" : "false"}
      @click=${() => this.ask(asking ? null : line, asking ? "" : msg(str`Press the new key for “${does}”. Escape leaves it as it is.`))}
      >${asking ? msg("Press a key…") : msg("Change")}</button>`;
  }

  private reset(elements: readonly string[]): void {
    for (const element of elements) if (Object.keys(keymap.of(element)).length > 0) keymap.choose(element, {});
    this.ask(null, msg("The usual keys are back."));
  }

  override render() {
    const { owner, more, said } = this;
    const { elements } = this;
    const free = isRemappable(owner) && elements.length > 0;
    const lines: readonly Line[] = [...(owner?.hotkeys ?? []), ...more];
    const where = keymap.shared ? "with your account, for every machine" : "on this device";
    return html`${free ? html`<p class="keys-said" role="status">${said || msg(str`Other keys can be chosen; they are kept ${where}.`)}</p>` : nothing}
      ${free && keymap.problem ? html`<p class="keys-problem" role="alert">${keymap.problem}</p>` : nothing}
      <dl class="keys">${lines.map((line) => html`<dt>${line.keys}</dt><dd>${line.does} ${free ? this.button(line) : nothing}</dd>`)}</dl>
      ${free && elements.some((element) => Object.keys(keymap.of(element)).length > 0)
        ? html`<button type="button" @click=${() => this.reset(elements)}>${msg("Use the usual keys")}</button>` : nothing}`;
  }
}

if (!customElements.get("waggle-key-list")) customElements.define("waggle-key-list", WaggleKeyList);
