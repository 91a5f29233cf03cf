/** <iron-icon icon="zoom-in">: an icon that templates put into their buttons, as in the page that Ground Truth gives them. */
import { LitElement, css } from "lit";
import { property } from "lit/decorators.js";
import { iconStyles } from "../kit/icons";
import { ironIcon } from "./iron-icons";
import { crowdPart } from "./registry";

@crowdPart("iron-icon")
export class IronIcon extends LitElement {
  static override styles = [iconStyles, css`
    :host { display: inline-grid; place-items: center; inline-size: 24px; block-size: 24px; vertical-align: middle; }
    :host([hidden]) { display: none; }
    .icon, .icon svg { inline-size: 100%; block-size: 100%; }
  `];

  @property() icon = "";

  override render() {
    return ironIcon(this.icon);
  }
}

/** What an icon in a button says to people who do not see it; empty where there is none. */
export function iconWords(element: Element): string {
  const icon = element.querySelector("iron-icon");
  return icon?.getAttribute("alt") || icon?.getAttribute("aria-label") || (icon?.getAttribute("icon") ?? "").replace(/^.*:/, "").replaceAll("-", " ");
}
