/** The component kit inside crowd elements: its parts, its icons and its theme. Works in a frame of its own with an opaque origin
 *  as well, where nothing can be fetched: icons are in the script, and the theme is added to pages that lack it. */
import { registerIconLibrary } from "@awesome.me/webawesome/dist/components/icon/library.js";
import "@awesome.me/webawesome/dist/components/badge/badge.js";
import "@awesome.me/webawesome/dist/components/button/button.js";
import "@awesome.me/webawesome/dist/components/callout/callout.js";
import "@awesome.me/webawesome/dist/components/card/card.js";
import "@awesome.me/webawesome/dist/components/checkbox/checkbox.js";
import "@awesome.me/webawesome/dist/components/dialog/dialog.js";
import "@awesome.me/webawesome/dist/components/input/input.js";
import "@awesome.me/webawesome/dist/components/radio/radio.js";
import "@awesome.me/webawesome/dist/components/slider/slider.js";
import "@awesome.me/webawesome/dist/components/switch/switch.js";
import "@awesome.me/webawesome/dist/components/tab/tab.js";
import "@awesome.me/webawesome/dist/components/tab-group/tab-group.js";
import "@awesome.me/webawesome/dist/components/tab-panel/tab-panel.js";
import "@awesome.me/webawesome/dist/components/textarea/textarea.js";
import theme from "../styles/crowd-theme.css?inline";
import { glyphOf } from "./iron-icons";

/** Icons that the kit's own components draw -> ours. */
const SYSTEM: Record<string, string> = { xmark: "close", "circle-xmark": "cancel", "eye-slash": "visibility-off", eye: "visibility", "chevron-down": "expand-more" };

function draw(svg: SVGElement, name: string): void {
  const glyph = new DOMParser().parseFromString(glyphOf(SYSTEM[name] ?? name), "image/svg+xml").documentElement;
  for (const { name: key, value } of glyph.attributes) if (key !== "xmlns" && key !== "class") svg.setAttribute(key, value);
  svg.replaceChildren(...[...glyph.children].map((child) => svg.ownerDocument.importNode(child, true)));
}

registerIconLibrary("system", {
  resolver: (name) => `#${name}`, // nothing is fetched: the sprite's symbol is replaced by the drawing itself
  spriteSheet: true,
  mutator: (svg, icon) => draw(svg, (icon as unknown as { name?: string } | undefined)?.name ?? "check"),
});

const themed = () => getComputedStyle(document.documentElement).getPropertyValue("--wa-color-brand-fill-loud") !== "";

/** Adds the theme's custom properties to a page that does not have them. */
function addTheme(): void {
  if (themed()) return;
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(theme);
  document.adoptedStyleSheets.push(sheet);
}

addTheme();
