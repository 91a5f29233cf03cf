/** In which language the elements speak: that of the document, where they know it, else English. Texts are marked by `msg("Undo")` and
 *  msg(str`${n} of ${total}`); locales/de.ts is made of xliff/de.xlf by `npm run localize`. */
import { configureLocalization, msg, str } from "@lit/localize";
import { templates } from "./locales/de";

export { msg, str };

/** The language of the document; English outside of one. */
export const language = (): string => (typeof document === "undefined" ? "" : document.documentElement.lang) || "en";

/** How this reader writes numbers and dates: as the browser says, if it speaks the document's language ("en-GB"), else as that language does. */
export function readersLocale(spoken: readonly string[] = typeof navigator === "undefined" ? [] : navigator.languages): string {
  const own = language();
  return spoken.find((one) => one.split("-")[0] === own.split("-")[0]) ?? own;
}

/** The translations are there already: constants of modules are translated when they are made, so nobody can wait for a promise. */
const arrived = { then: (use: (found: { templates: typeof templates }) => void) => use({ templates }) };

const { setLocale } = configureLocalization({ sourceLocale: "en", targetLocales: ["de"], loadLocale: () => arrived as unknown as Promise<{ templates: typeof templates }> });
if (language().split("-")[0] === "de") void setLocale("de");

/** What is labeled, as a sentence names it: "picture", "text" or "document". */
export function thing(subject: string): string {
  return subject === "picture" ? msg("picture") : subject === "text" ? msg("text") : subject === "document" ? msg("document") : subject;
}
