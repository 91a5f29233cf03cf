/** How elements that show a text look. */
import { css } from "lit";

export const textStyles = css`
  .work { background: var(--_surface); }
  .text { position: absolute; inset: 0; padding: 1.25rem clamp(1rem, 4cqw, 3rem); overflow: auto; font-size: 1.0625rem; line-height: 1.65; }
  .text:focus-visible { outline-offset: -3px; }
  .words { max-inline-size: 46rem; margin-inline: auto; white-space: pre-wrap; overflow-wrap: anywhere; }
  .words:empty { display: none; }
  ::slotted(classification-target) { display: block; max-inline-size: 46rem; margin-inline: auto; overflow-wrap: anywhere; }
`;

/** Marked stretches of a text, and their labels behind them. */
export const markStyles = css`
  mark { padding: 0.15em 0.1em; border-radius: 4px; color: #000; -webkit-box-decoration-break: clone; box-decoration-break: clone; }
  mark.dark { color: #fff; }
  .tag { margin-inline: 0.2em 0.1em; font-size: 0.6875rem; font-weight: 700; color: var(--_text-2); }
`;

/** What only the entity tool has. */
export const entityStyles = css`
  .words { line-height: 2.05; cursor: text; }
  .words ::selection { background: var(--_brand); color: var(--_on-brand); }
  mark { cursor: pointer; }
  mark.on { outline: 3px solid var(--_focus); outline-offset: 1px; }
  .picked { text-decoration: underline 0.2em var(--_focus); background: var(--_brand-soft); }
  .tag { user-select: none; -webkit-user-select: none; }
  .tag::after { content: attr(data-tag); }
  .caret { display: inline-block; inline-size: 0; block-size: 1.2em; margin-inline: -1px; border-inline-start: 2px solid transparent; vertical-align: text-bottom; }
  .text:focus-visible .caret { border-color: var(--_focus); }
  .list .go span { max-inline-size: 11rem; }
`;
