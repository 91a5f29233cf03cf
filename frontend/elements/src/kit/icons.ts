/** The few icons that elements draw inside their own shadow roots; pages use the sprite dist/icons.svg instead. */
import { css, html, type TemplateResult } from "lit";
import { unsafeHTML } from "lit/directives/unsafe-html.js";
import bookOpen from "lucide-static/icons/book-open.svg?raw";
import brush from "lucide-static/icons/brush.svg?raw";
import bucket from "lucide-static/icons/paint-bucket.svg?raw";
import check from "lucide-static/icons/check.svg?raw";
import chevronDown from "lucide-static/icons/chevron-down.svg?raw";
import chevronLeft from "lucide-static/icons/chevron-left.svg?raw";
import chevronRight from "lucide-static/icons/chevron-right.svg?raw";
import clock from "lucide-static/icons/clock.svg?raw";
import close from "lucide-static/icons/x.svg?raw";
import contrast from "lucide-static/icons/contrast.svg?raw";
import copyPlus from "lucide-static/icons/copy-plus.svg?raw";
import crosshair from "lucide-static/icons/crosshair.svg?raw";
import eraser from "lucide-static/icons/eraser.svg?raw";
import eye from "lucide-static/icons/eye.svg?raw";
import eyeOff from "lucide-static/icons/eye-off.svg?raw";
import flag from "lucide-static/icons/flag.svg?raw";
import hand from "lucide-static/icons/hand.svg?raw";
import keyboard from "lucide-static/icons/keyboard.svg?raw";
import list from "lucide-static/icons/list.svg?raw";
import lock from "lucide-static/icons/lock.svg?raw";
import lockOpen from "lucide-static/icons/lock-open.svg?raw";
import magnet from "lucide-static/icons/magnet.svg?raw";
import maximize from "lucide-static/icons/maximize.svg?raw";
import minus from "lucide-static/icons/minus.svg?raw";
import moon from "lucide-static/icons/moon.svg?raw";
import pentagon from "lucide-static/icons/pentagon.svg?raw";
import plus from "lucide-static/icons/plus.svg?raw";
import redo from "lucide-static/icons/redo-2.svg?raw";
import search from "lucide-static/icons/search.svg?raw";
import slash from "lucide-static/icons/slash.svg?raw";
import sliders from "lucide-static/icons/sliders-horizontal.svg?raw";
import spline from "lucide-static/icons/spline.svg?raw";
import squareDashed from "lucide-static/icons/square-dashed.svg?raw";
import sun from "lucide-static/icons/sun.svg?raw";
import trash from "lucide-static/icons/trash-2.svg?raw";
import undo from "lucide-static/icons/undo-2.svg?raw";
import warning from "lucide-static/icons/triangle-alert.svg?raw";

const glyphs = {
  "book-open": bookOpen, brush, bucket, check, "chevron-down": chevronDown, "chevron-left": chevronLeft, "chevron-right": chevronRight,
  clock, close, contrast, "copy-plus": copyPlus, crosshair, eraser, eye, "eye-off": eyeOff, flag, hand, keyboard, list, lock, "lock-open": lockOpen, magnet,
  maximize, minus, moon, pentagon, plus, redo, search, slash, sliders, spline, "square-dashed": squareDashed, sun, trash, undo, warning,
};

export type IconName = keyof typeof glyphs;

/** An icon as decoration (hidden from assistive technology). The markup is ours, built in: never user content. */
export function icon(name: IconName): TemplateResult {
  return html`<span class="icon" aria-hidden="true">${unsafeHTML(glyphs[name])}</span>`;
}

export const iconStyles = css`
  .icon { display: inline-grid; place-items: center; flex: none; }
  .icon svg { inline-size: 1.25em; block-size: 1.25em; display: block; }
`;
