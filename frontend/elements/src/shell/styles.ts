/** The layout of the worker's page: one screen on which only panels scroll; the buttons are at the top, on a phone at the bottom. */
import { css } from "lit";

export const shellStyles = css`
  :host { display: block; block-size: 100dvh; background: var(--_surface); color: var(--_text); container-type: inline-size; }
  crowd-form { display: grid; grid-template: "top actions" auto "banners banners" auto "tool tool" minmax(0, 1fr) / minmax(0, 1fr) auto; block-size: 100%; }
  crowd-form > form { display: contents; }
  .top { grid-area: top; display: flex; align-items: center; gap: 0.25rem 1rem; min-inline-size: 0; padding: 0.4rem 0.75rem; }
  .exit { display: inline-flex; align-items: center; gap: 0.3rem; min-block-size: 2.25rem; padding-inline: 0.4rem; border-radius: 6px; color: inherit; font-weight: 600; text-decoration: none; white-space: nowrap; }
  .exit:hover { background: var(--_surface-3); }
  h1 { margin: 0; font-size: 1.0625rem; font-weight: 650; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; min-inline-size: 0; flex: 1; }
  .figure { display: flex; flex-direction: column; line-height: 1.15; font-size: 0.75rem; color: var(--_text-2); white-space: nowrap; }
  .figure b { font-size: 1rem; font-variant-numeric: tabular-nums; color: var(--_text); font-weight: 650; }
  .figure.late b { color: var(--_bad); }
  .actions { grid-area: actions; display: flex; align-items: center; gap: 0.5rem; padding: 0.4rem 0.75rem; }
  .actions .primary { min-inline-size: 8rem; min-block-size: 2.5rem; }
  .banners { grid-area: banners; }
  .banner { display: flex; flex-wrap: wrap; align-items: center; gap: 0.3rem 1rem; padding: 0.45rem 0.9rem; background: var(--_warn-soft); color: var(--_warn); font-size: 0.875rem; font-weight: 550; }
  .banner a { color: inherit; font-weight: 700; }
  .banner button { min-block-size: 2rem; color: var(--_text); }
  .banner.check { background: var(--_surface-3); color: var(--_text); font-weight: 450; }
  .banner.bad { background: var(--_bad-soft); color: var(--_bad); }
  /* lies over the element and lets clicks through: a banner that comes and goes would move the element while somebody works in it */
  .paid { grid-area: tool; align-self: start; justify-self: center; z-index: 2; margin: 3.5rem 0.5rem 0; padding: 0.45rem 1rem; border-radius: 999px; background: light-dark(#e2f5e8, #12321f); color: var(--_ok); font-size: 0.875rem; font-weight: 550; box-shadow: 0 2px 8px rgb(0 0 0 / 25%); pointer-events: none; }
  .element { grid-area: tool; --crowd-height: 100%; min-block-size: 0; border-block-start: 1px solid var(--_line); }
  .whole { display: grid; place-content: center; justify-items: center; gap: 0.9rem; block-size: 100%; padding: 1.5rem; text-align: center; }
  .whole h1 { flex: none; white-space: normal; font-size: 1.3rem; }
  .whole p { margin: 0; max-inline-size: 46ch; color: var(--_text-2); }
  .whole .row { display: flex; flex-wrap: wrap; gap: 0.5rem; justify-content: center; }
  .link { display: inline-flex; align-items: center; min-block-size: 2.5rem; padding: 0.25rem 1rem; border-radius: 6px; border: 1px solid var(--_line-strong); color: inherit; font-weight: 600; text-decoration: none; }
  .link.primary { background: var(--_brand); border-color: var(--_brand); color: var(--_on-brand); }
  .examples { display: grid; grid-template-columns: repeat(auto-fill, minmax(10rem, 1fr)); gap: 0.75rem; margin-block: 0.5rem 1rem; }
  figure { margin: 0; border: 3px solid var(--_line); border-radius: 10px; overflow: hidden; }
  figure.good { border-color: var(--wg-ok-solid, #2c9a5b); }
  figure.bad { border-color: var(--wg-bad-solid, #c9352d); }
  figure img { display: block; inline-size: 100%; }
  figcaption { padding: 0.4rem 0.6rem; font-size: 0.8125rem; overflow-wrap: anywhere; }
  h3 { margin: 1rem 0 0.25rem; font-size: 0.9375rem; }
  fieldset { display: grid; gap: 0.4rem; margin: 0; padding: 0; border: 0; }
  fieldset label { display: flex; gap: 0.6rem; align-items: center; min-block-size: 2.25rem; }
  fieldset input[type="radio"] { inline-size: 1.15rem; block-size: 1.15rem; accent-color: light-dark(#9a6200, #f4b223); }
  textarea { inline-size: 100%; min-block-size: 4rem; padding: 0.5rem; border: 1px solid var(--_line-strong); border-radius: 6px; background: var(--_surface); color: inherit; font: inherit; }
  .ends { display: flex; justify-content: flex-end; gap: 0.5rem; margin-block-start: 1rem; }
  .spin { inline-size: 2rem; block-size: 2rem; border: 3px solid var(--_surface-3); border-block-start-color: var(--_brand); border-radius: 50%; animation: spin 0.9s linear infinite; }
  @keyframes spin { to { rotate: 1turn; } }
  @media (prefers-reduced-motion: reduce) { .spin { animation-duration: 4s; } }

  @container (width < 46rem) {
    crowd-form { grid-template: "top" auto "banners" auto "tool" minmax(0, 1fr) "actions" auto / minmax(0, 1fr); }
    .top { padding: 0.25rem 0.5rem; gap: 0.75rem; }
    .exit span:not(.icon) { display: none; }
    h1 { font-size: 0.9375rem; }
    .figure b { font-size: 0.875rem; }
    .figure { font-size: 0.6875rem; }
    .actions { padding: 0.4rem 0.5rem max(0.4rem, env(safe-area-inset-bottom)); border-block-start: 1px solid var(--_line); }
    .actions button { min-block-size: 2.75rem; padding-inline: 0.6rem; }
    .actions .primary { flex: 1; min-block-size: 2.75rem; }
  }
`;
