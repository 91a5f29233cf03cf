/** <div data-shown-when="kind=zip upload">: shown only while the form's field of that name has one of these values. Without
 *  the script everything is shown. The server decides which fields it reads; this only keeps the page short. */

function update(form: HTMLFormElement): void {
  const values = new FormData(form);
  for (const part of form.querySelectorAll<HTMLElement>("[data-shown-when]")) {
    const [name, wanted = ""] = part.dataset["shownWhen"]!.split("=");
    part.hidden = !wanted.split(" ").includes(String(values.get(name!) ?? ""));
  }
}

/** Sets up every form of the page that has such parts. */
export function showDependentFields(): void {
  const forms = new Set([...document.querySelectorAll("[data-shown-when]")].map((part) => part.closest("form")));
  for (const form of forms) if (form) update(form);
  document.addEventListener("change", (event) => {
    const form = (event.target as Element).closest("form");
    if (form?.querySelector("[data-shown-when]")) update(form);
  });
}
