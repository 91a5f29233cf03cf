/** Sends the answer of a crowd element with a form of the portal: a <form data-crowd-answer="answer"> around a <crowd-form> gets
 *  the answer as JSON in its field of that name and is submitted. Knows nothing of what the answer means. */

/** Listens for `crowd-submit` inside such forms, once for the whole page. */
export function takeCrowdAnswers(): void {
  document.addEventListener("crowd-submit", (event) => {
    const form = (event.target as Element).closest<HTMLFormElement>("form[data-crowd-answer]");
    const field = form?.elements.namedItem(form.dataset["crowdAnswer"]!);
    if (!form || !(field instanceof HTMLInputElement)) return;
    event.preventDefault(); // tells the form that the answer is taken
    field.value = JSON.stringify((event as CustomEvent<unknown>).detail);
    form.requestSubmit();
  });
}
