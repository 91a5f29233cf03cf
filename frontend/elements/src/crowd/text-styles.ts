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
