/** <waggle-money value-micros> and <waggle-time datetime>: amounts and times in the reader's own format.
 *  Without the script the text that the server wrote stays. */
import { readersLocale } from "../locale";
import { formatMicros, formatRelative } from "./format";

class Money extends HTMLElement {
  static observedAttributes = ["value-micros", "currency"];

  attributeChangedCallback(): void {
    const raw = this.getAttribute("value-micros");
    if (!raw || !/^-?\d+$/.test(raw)) return; // keep the server's text rather than show NaN
    this.textContent = formatMicros(Number(raw), undefined, this.getAttribute("currency") ?? "USD");
    this.classList.add("num", "nowrap");
  }
}

class Time extends HTMLElement {
  static observedAttributes = ["datetime", "format"];
  private timer = 0;

  connectedCallback(): void {
    this.show();
    if (this.getAttribute("format") === "relative") this.timer = window.setInterval(() => this.show(), 30_000);
  }

  disconnectedCallback(): void {
    window.clearInterval(this.timer);
  }

  attributeChangedCallback(): void {
    this.show();
  }

  private show(): void {
    const at = Date.parse(this.getAttribute("datetime") ?? "");
    if (Number.isNaN(at)) return;
    const full = new Intl.DateTimeFormat(readersLocale(), { dateStyle: "medium", timeStyle: "short" });
    this.title = new Intl.DateTimeFormat(readersLocale(), { dateStyle: "full", timeStyle: "long" }).format(at);
    this.classList.add("nowrap");
    switch (this.getAttribute("format")) {
      case "relative": this.textContent = formatRelative(at, Date.now()); break;
      case "date": this.textContent = new Intl.DateTimeFormat(readersLocale(), { dateStyle: "medium" }).format(at); break;
      case "time": this.textContent = new Intl.DateTimeFormat(readersLocale(), { timeStyle: "short" }).format(at); break;
      default: this.textContent = full.format(at);
    }
  }
}

customElements.define("waggle-money", Money);
customElements.define("waggle-time", Time);
