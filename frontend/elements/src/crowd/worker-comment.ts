/** The region <worker-comment> of <crowd-image-classifier>: a link below the labels that opens a dialog for a comment. The content of
 *  the region says what the comment is for. */
import { html, nothing } from "lit";
import { msg } from "../locale";

/** What the region says of itself; the element's own words where it says nothing. */
export interface CommentRegion { header: string; link: string; placeholder: string }

export function regionOf(element: Element): CommentRegion | null {
  const region = element.querySelector(":scope > worker-comment");
  if (!region) return null;
  const said = (name: string, usual: string) => region.getAttribute(name) || usual;
  return { header: said("header", msg("Add a comment")), link: said("link-text", msg("Add a comment")), placeholder: said("placeholder", "") };
}

const dialogOf = (event: Event): HTMLDialogElement | null => ((event.target as Element).getRootNode() as ShadowRoot).querySelector("#comment");

export function commentLink({ link }: CommentRegion, comment: string, off: boolean) {
  return html`<button type="button" class="comment-link" ?disabled=${off} @click=${(event: Event) => dialogOf(event)?.showModal()}>${link}</button>
    ${comment ? html`<p class="comment">${comment}</p>` : nothing}`;
}

export function commentDialog({ header, placeholder }: CommentRegion, comment: string, write: (comment: string) => void) {
  return html`<dialog id="comment" aria-labelledby="comment-title">
    <header><h2 id="comment-title">${header}</h2><button type="button" class="plain" @click=${(event: Event) => dialogOf(event)?.close()}>${msg("Close")}</button></header>
    <div id="comment-for"><slot name="comment"></slot></div>
    <textarea rows="4" aria-labelledby="comment-title" aria-describedby="comment-for" placeholder=${placeholder} .value=${comment}
      @input=${(event: Event) => write((event.target as HTMLTextAreaElement).value)}></textarea>
  </dialog>`;
}
