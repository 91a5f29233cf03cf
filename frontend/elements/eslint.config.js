import js from "@eslint/js";
import tseslint from "typescript-eslint";
import { configs as lit } from "eslint-plugin-lit";
import a11y from "eslint-plugin-lit-a11y";

const hostile = "Labels, instructions and file names are hostile text: render them as text, or through <waggle-safe-html>.";

export default tseslint.config(
  { ignores: ["node_modules", "../static", "src/locales"] },
  js.configs.recommended,
  ...tseslint.configs.strict,
  lit["flat/recommended"],
  a11y.configs.recommended,
  {
    rules: {
      "max-lines": ["error", 400],
      "max-lines-per-function": ["error", { max: 60, skipBlankLines: true, skipComments: true, IIFEs: true }],
      eqeqeq: "error",
      "no-eval": "error",
      "no-restricted-properties": [
        "error",
        { property: "innerHTML", message: hostile },
        { property: "outerHTML", message: hostile },
        { property: "insertAdjacentHTML", message: hostile },
      ],
      "@typescript-eslint/no-non-null-assertion": "off",
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_" }],
      "lit-a11y/click-events-have-key-events": "off",
    },
  },
  { files: ["test/**"], rules: { "max-lines-per-function": "off" } },
);
