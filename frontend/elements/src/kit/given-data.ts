/** The JSON that a page gives one of the kit's elements as a child: in a <script type="application/json">, or in a <template>
 *  where htmx swaps the element in, since scripts are taken out of what it swaps. */

/** The text of the data, null where there is none. */
export function givenText(host: Element): string | null {
  const script = host.querySelector('script[type="application/json"]');
  if (script) return script.textContent;
  return host.querySelector<HTMLTemplateElement>(":scope > template")?.content.textContent ?? null;
}
