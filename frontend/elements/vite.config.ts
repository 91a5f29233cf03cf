/** How the package becomes frontend/static/dist: entries keep their names (worker.js, portal.js, portal.css, theme.js,
 *  icons.svg), shared chunks carry a hash. */
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
    rollupOptions: {
      input: { portal: "src/portal.ts", worker: "src/worker.ts", theme: "src/theme.ts" },
      output: {
        entryFileNames: "[name].js",
        chunkFileNames: "chunks/[name]-[hash].js",
        assetFileNames: "[name][extname]",
      },
    },
  },
  test: { include: ["test/**/*.test.ts"], environment: "node" },
} as Parameters<typeof defineConfig>[0]);
