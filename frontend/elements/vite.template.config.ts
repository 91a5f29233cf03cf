/** crowd-html-elements.js: one classic script, because a page without an origin may load no modules and shares no cache. */
import { type Plugin, defineConfig } from "vite";
import { steadySizes } from "./build/sizes";

const sizes: Plugin = { name: "steady-sizes", renderChunk: (code) => ({ code: steadySizes(code), map: null }) };

export default defineConfig({
  base: "./",
  plugins: [sizes],
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
