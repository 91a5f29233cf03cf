/** The Web Awesome components that pages may use, and their icons from our own sprite (no CDN, no data: fetches). */
import "@awesome.me/webawesome/dist/components/button/button.js";
import "@awesome.me/webawesome/dist/components/copy-button/copy-button.js";
import "@awesome.me/webawesome/dist/components/details/details.js";
import "@awesome.me/webawesome/dist/components/dialog/dialog.js";
import "@awesome.me/webawesome/dist/components/divider/divider.js";
import "@awesome.me/webawesome/dist/components/drawer/drawer.js";
import "@awesome.me/webawesome/dist/components/dropdown/dropdown.js";
import "@awesome.me/webawesome/dist/components/dropdown-item/dropdown-item.js";
import "@awesome.me/webawesome/dist/components/progress-ring/progress-ring.js";
import "@awesome.me/webawesome/dist/components/spinner/spinner.js";
import "@awesome.me/webawesome/dist/components/switch/switch.js";
import "@awesome.me/webawesome/dist/components/tab/tab.js";
import "@awesome.me/webawesome/dist/components/tab-group/tab-group.js";
import "@awesome.me/webawesome/dist/components/tab-panel/tab-panel.js";
import "@awesome.me/webawesome/dist/components/tooltip/tooltip.js";
import { registerIconLibrary } from "@awesome.me/webawesome/dist/components/icon/library.js";

/** Web Awesome's name of an icon -> ours, where they differ. */
const SYSTEM: Record<string, string> = { xmark: "close", "circle-question": "help", star: "star", user: "user" };
// the build puts the sprite beside portal.js, one folder above the chunks; the development server has it at the root
const spriteUrl = import.meta.env.DEV ? "/icons.svg" : `${import.meta.url.replace(/(chunks\/)?[^/]*$/, "")}icons.svg`;

for (const library of ["system", "default"]) {
  registerIconLibrary(library, {
    resolver: (name) => `${spriteUrl}#${SYSTEM[name] ?? name}`,
    spriteSheet: true,
    // without a viewBox an <svg> is 300 px wide, and on a phone the page would scroll sideways
    mutator: (svg) => svg.setAttribute("viewBox", "0 0 24 24"),
  });
}
