/** Every marked text has a German one with the same values, and readers' formats follow the document's language. */
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { generateMsgId } from "@lit/localize/internal/id-generation.js";
import ts from "typescript";
import { expect, test } from "vitest";
import { readersLocale } from "../src/locale";
import { templates } from "../src/locales/de";

const SOURCES = join(import.meta.dirname, "..", "src");
const ADVICE = "run `npm run localize`, and translate what is new in xliff/de.xlf";

/** The texts between the values of what is marked by `msg`. */
function strings(marked: ts.Expression): string[] {
  if (ts.isStringLiteralLike(marked)) return [marked.text];
  if (!ts.isTaggedTemplateExpression(marked)) throw new Error(`msg(${marked.getText()}) marks neither a text nor str\`…\``);
  const { template } = marked;
  return ts.isNoSubstitutionTemplateLiteral(template) ? [template.text] : [template.head.text, ...template.templateSpans.map((span) => span.literal.text)];
}

function marked(): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const name of readdirSync(SOURCES, { recursive: true, encoding: "utf8" })) {
    if (!name.endsWith(".ts") || name.startsWith("locales")) continue;
    const text = readFileSync(join(SOURCES, name), "utf8");
    if (!text.includes("msg(")) continue;
    const source = ts.createSourceFile(name, text, ts.ScriptTarget.Latest, true);
    const visit = (node: ts.Node): void => {
      if (ts.isCallExpression(node) && ts.isIdentifier(node.expression) && node.expression.text === "msg") {
        const parts = strings(node.arguments[0]!);
        found.set(generateMsgId(parts, false), parts);
      }
      ts.forEachChild(node, visit);
    };
    visit(source);
  }
  return found;
}

test("every marked text is translated, with the same values, and nothing else is", () => {
  const translated = new Map(Object.entries(templates));
  const texts = marked();
  expect([...texts].filter(([id]) => !translated.has(id)).map(([, parts]) => parts.join("${…}")), ADVICE).toEqual([]);
  expect([...translated.keys()].filter((id) => !texts.has(id)), ADVICE).toEqual([]);
  for (const [id, parts] of texts) {
    const german = translated.get(id)!;
    const values = typeof german === "string" ? [] : [...german.values].map(Number).sort((a, b) => a - b);
    expect(values, parts.join("${…}")).toEqual(parts.slice(1).map((_, at) => at));
  }
}, 60_000);

test("numbers are written as the browser says where it speaks the document's language", () => {
  expect([readersLocale(["fr-FR", "en-GB"]), readersLocale(["de-AT"]), readersLocale([])]).toEqual(["en-GB", "en", "en"]);
});
