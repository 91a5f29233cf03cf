/** <waggle-key-list>: the keys of an element in a dialog; where the element allows it, a worker chooses other ones there. It draws
 *  into the page of its owner, whose styles it uses. */
import { LitElement, html, nothing } from "lit";
import { property, state } from "lit/decorators.js";
import type { Hotkey } from "./element";
import { keymap } from "./keymap";
import { type Line, type Plain, keyOf, written } from "./keys";

/** What an element has besides its list of keys if others can be chosen. */
export interface Remappable {
  readonly hotkeys: readonly Line[];
  /** Has a command use a key from now on. Returns why not, in words; empty if it does. */
  rebind(action: Plain, key: string): string;
}

const MODIFIERS = ["Shift", "Control", "Alt", "AltGraph", "Meta"];

const isRemappable = (owner: object | null): owner is Remappable => owner !== null && "rebind" in owner;

export class WaggleKeyList extends LitElement {
  /** The element whose keys these are. */
  @property({ attribute: false }) owner: { readonly hotkeys: readonly Hotkey[] } | null = null;
  /** Keys of the page around it. */
  @property({ attribute: false }) more: readonly Hotkey[] = [];
  @state() private asking: Plain | null = null;
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
    if (!asking || !isRemappable(owner) || event.key === "Tab" || MODIFIERS.includes(event.key)) return;
    event.preventDefault(); // Escape would close the dialog
    event.stopPropagation();
    if (event.key === "Escape") return this.ask(null, "Nothing changed.");
    if (event.ctrlKey || event.metaKey || event.altKey) return this.ask(asking, "Choose a key without Ctrl or Alt.");
    const key = keyOf(event);
    const refused = owner.rebind(asking, key);
    this.ask(refused ? asking : null, refused || `${written(key)}: ${owner.hotkeys.find(({ action }) => action === asking)?.does ?? ""}.`);
  };

  private ask(action: Plain | null, said: string): void {
    this.asking = action;
    this.said = said;
  }

  private button({ action, does }: Line) {
    if (!action || action === "help" || action === "cancel" || action === "confirm") return nothing;
    const asking = this.asking === action;
    return html`<button type="button" class="plain change" aria-label="Change the key for: ${does}" aria-pressed=${asking ? "true" : "false"}
      @click=${() => this.ask(asking ? null : action, asking ? "" : `Press the new key for “${does}”. Escape leaves it as it is.`)}
      >${asking ? "Press a key…" : "Change"}</button>`;
  }

  override render() {
    const { owner, more, said } = this;
    const free = isRemappable(owner);
    const lines: readonly Line[] = [...(owner?.hotkeys ?? []), ...more];
    return html`${free ? html`<p class="keys-said" role="status">${said || "Other keys can be chosen; they are kept on this device."}</p>` : nothing}
      <dl class="keys">${lines.map((line) => html`<dt>${line.keys}</dt><dd>${line.does} ${free ? this.button(line) : nothing}</dd>`)}</dl>
      ${free && Object.keys(keymap.chosen).length > 0
        ? html`<button type="button" @click=${() => { keymap.choose({}); this.ask(null, "The usual keys are back."); }}>Use the usual keys</button>` : nothing}`;
  }
}

if (!customElements.get("waggle-key-list")) customElements.define("waggle-key-list", WaggleKeyList);
