/** <waggle-safe-html .content>: a requester's instructions. The server has cleaned them; they are cleaned again here and shown
 *  inside a shadow root, so that their markup cannot affect the rest of the page. */
import DOMPurify from "dompurify";
import { LitElement, css, html } from "lit";
import { customElement, property, query } from "lit/decorators.js";

const TAGS = ["p", "br", "b", "strong", "i", "em", "u", "s", "small", "sub", "sup", "code", "pre", "blockquote", "hr", "h1", "h2", "h3",
  "h4", "h5", "h6", "ul", "ol", "li", "dl", "dt", "dd", "table", "thead", "tbody", "tr", "th", "td", "img", "a", "span", "div", "figure",
  "figcaption"];

@customElement("waggle-safe-html")
export class SafeHtml extends LitElement {
  static override styles = css`
    :host { display: block; overflow-wrap: anywhere; }
    img { max-inline-size: 100%; height: auto; border-radius: 6px; }
    a { color: var(--wg-link, light-dark(#855000, #ffcc5c)); }
    h1, h2, h3 { font-size: 1.05em; margin: 0.8em 0 0.3em; }
    p, ul, ol { margin: 0.4em 0; }
    ul, ol { padding-inline-start: 1.3em; }
    :first-child { margin-block-start: 0; }
    table { border-collapse: collapse; }
    th, td { border: 1px solid var(--wg-line, #ccc); padding: 0.2em 0.5em; }
  `;

  @property({ attribute: false }) content = "";
  @query("div") private holder!: HTMLDivElement;

  override updated(): void {
    const clean = DOMPurify.sanitize(this.content, {
      ALLOWED_TAGS: TAGS, ALLOWED_ATTR: ["href", "src", "alt", "title", "colspan", "rowspan"], ALLOW_DATA_ATTR: false,
      ALLOWED_URI_REGEXP: /^(?:https?:|mailto:|\/(?!\/)|#)/i, RETURN_DOM_FRAGMENT: true,
    });
    for (const link of clean.querySelectorAll("a")) {
      link.target = "_blank";
      link.rel = "noopener noreferrer nofollow";
    }
    this.holder.replaceChildren(clean);
  }

  override render() {
    return html`<div></div>`;
  }
}
