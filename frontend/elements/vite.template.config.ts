/** crowd-html-elements.js: one classic script, because a page without an origin may load no modules and shares no cache. */
import { defineConfig } from "vite";

export default defineConfig({
  base: "./",
  build: {
    outDir: "../static/dist",
    emptyOutDir: false,
    target: ["chrome123", "firefox121", "safari17.5"],
    sourcemap: false,
    chunkSizeWarningLimit: 900,
    rollupOptions: {
      input: { "crowd-html-elements": "src/crowd-html-elements.ts" },
      output: { format: "iife", entryFileNames: "[name].js", assetFileNames: "[name][extname]", inlineDynamicImports: true },
    },
  },
} as Parameters<typeof defineConfig>[0]);
