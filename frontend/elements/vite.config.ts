/** How the package becomes frontend/static/dist: entries keep their names (worker.js, crowd.js, portal.js, portal.css, theme.js,
 *  template-editor.js, icons.svg), shared chunks carry a hash. */
import { defineConfig } from "vite";
import { icons } from "./build/icons.ts";
import { sprite } from "./build/sprite.ts";

export default defineConfig({
  base: "./",
  plugins: [sprite(icons)],
  build: {
    outDir: "../static/dist",
    emptyOutDir: true,
    target: ["chrome123", "firefox121", "safari17.5"],
    modulePreload: { polyfill: false },
    sourcemap: false,
    chunkSizeWarningLimit: 700,
    rollupOptions: {
      input: { portal: "src/portal.ts", worker: "src/worker.ts", crowd: "src/crowd.ts", theme: "src/theme.ts", "template-editor": "src/template-editor.ts" },
      onLog(level, log, report) {
        // htmx has an eval that htmx.config.allowEval = false (kit/page.ts) and the CSP keep from running
        if (log.code !== "EVAL" || !log.id?.includes("htmx.org")) report(level, log);
      },
      output: {
        entryFileNames: "[name].js",
        chunkFileNames: "chunks/[name]-[hash].js",
        assetFileNames: "[name][extname]",
      },
    },
  },
  test: { include: ["test/**/*.test.ts"], environment: "node" },
} as Parameters<typeof defineConfig>[0]);
