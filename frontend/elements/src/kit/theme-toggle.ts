/** <waggle-theme-toggle>: system, light or dark, kept in this browser. Emits `waggle-theme` on document. */
import { LitElement, css, html } from "lit";
import { customElement, state } from "lit/decorators.js";
import { icon, iconStyles } from "./icons";
import { msg, str } from "../locale";

type Theme = "system" | "light" | "dark";
const KEY = "waggle-theme";
const NEXT: Record<Theme, Theme> = { system: "light", light: "dark", dark: "system" };
const NAMES: Record<Theme, string> = { system: msg("System"), light: msg("Light"), dark: msg("Dark") };

function stored(): Theme {
  const value = localStorage.getItem(KEY);
  return value === "light" || value === "dark" ? value : "system";
}

/** Puts a theme on <html>: data-theme for our tokens, the wa-* class for Web Awesome. */
export function applyTheme(theme: Theme): void {
  const root = document.documentElement;
  if (theme === "system") delete root.dataset["theme"];
  else root.dataset["theme"] = theme;
  const dark = theme === "dark" || (theme === "system" && matchMedia("(prefers-color-scheme: dark)").matches);
  root.classList.toggle("wa-dark", dark);
  root.classList.toggle("wa-light", !dark);
  document.dispatchEvent(new CustomEvent("waggle-theme", { detail: { theme, dark } }));
}

@customElement("waggle-theme-toggle")
export class ThemeToggle extends LitElement {
  static override styles = [
    iconStyles,
    css`
      button {
        display: grid; place-items: center; inline-size: 2.5rem; block-size: 2.5rem; border: 0; border-radius: 6px;
        background: none; color: inherit; cursor: pointer; font-size: 1rem;
      }
      button:hover { background: var(--wg-surface-2); }
      button:focus-visible { outline: 3px solid var(--wg-focus); }
    `,
  ];

  @state() private theme: Theme = stored();
  private readonly system = matchMedia("(prefers-color-scheme: dark)");
  private readonly onSystem = () => applyTheme(this.theme);

  override connectedCallback(): void {
    super.connectedCallback();
    this.system.addEventListener("change", this.onSystem);
    applyTheme(this.theme);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.system.removeEventListener("change", this.onSystem);
  }

  private turn(): void {
    this.theme = NEXT[this.theme];
    if (this.theme === "system") localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, this.theme);
    applyTheme(this.theme);
  }

  override render() {
    const label = msg(str`Colours: ${NAMES[this.theme]}. Change to ${NAMES[NEXT[this.theme]]}`);
    const glyph = this.theme === "dark" ? "moon" : this.theme === "light" ? "sun" : "contrast";
    return html`<button type="button" aria-label=${label} title=${label} @click=${this.turn}>${icon(glyph)}</button>`;
  }
}
