/** A Vite plugin that writes dist/icons.svg: one <symbol> for each icon in icons.json, so that a page shows an icon
 *  with `<svg class="icon"><use href="…/icons.svg#wallet"></use></svg>` and needs no script. Knows nothing of pages. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Plugin } from "vite";

const require = createRequire(import.meta.url);

/** The inner markup of one Lucide icon. Raises if Lucide has no icon of that name. */
function inner(name: string): string {
  const file = require.resolve(`lucide-static/icons/${name}.svg`);
  const svg = readFileSync(file, "utf8").replace(/<!--[\s\S]*?-->/g, "");
  return svg.slice(svg.indexOf(">", svg.indexOf("<svg")) + 1, svg.lastIndexOf("</svg>")).replace(/\s+/g, " ").trim();
}

function sheet(icons: Record<string, string>): string {
  const symbols = Object.entries(icons).map(
    ([id, lucide]) =>
      `<symbol id="${id}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" ` +
      `stroke-linecap="round" stroke-linejoin="round">${inner(lucide)}</symbol>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg">\n${symbols.join("\n")}\n</svg>\n`;
}

/** `icons` maps the id used in pages to Lucide's name. */
export function sprite(icons: Record<string, string>): Plugin {
  return {
    name: "waggle-icon-sprite",
    generateBundle() {
      this.emitFile({ type: "asset", fileName: "icons.svg", source: sheet(icons) });
    },
    configureServer(server) {
      server.middlewares.use("/icons.svg", (_request, response) => {
        response.setHeader("Content-Type", "image/svg+xml");
        response.end(sheet(icons));
      });
    },
  };
}
