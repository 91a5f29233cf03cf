/** How the crowd elements look. They use the page's design tokens where there are any (custom properties reach into shadow roots)
 *  and their own otherwise, since a template may stand alone in a sandboxed frame. */
import { css } from "lit";

export const tokens = css`
  :host {
    --_surface: var(--wg-surface, light-dark(#fff, #1d1b17));
    --_surface-2: var(--wg-surface-2, light-dark(#f3f1ec, #26241f));
    --_surface-3: var(--wg-surface-3, light-dark(#e8e5dd, #322f29));
    --_line: var(--wg-line, light-dark(#e2ded4, #38352e));
    --_line-strong: var(--wg-line-strong, light-dark(#8f897b, #857f70));
    --_text: var(--wg-text, light-dark(#1f1c16, #f2efe8));
    --_text-2: var(--wg-text-2, light-dark(#5d574b, #b7b0a2));
    --_brand: var(--wg-brand, #f4b223);
    --_brand-soft: var(--wg-brand-soft, light-dark(#fff4d6, #3a2d0c));
    --_brand-line: var(--wg-brand-line, light-dark(#e9b949, #7d5f16));
    --_on-brand: var(--wg-on-brand, #241a02);
    --_bad: var(--wg-bad, light-dark(#a8201a, #ff9c94));
    --_bad-soft: var(--wg-bad-soft, light-dark(#fde8e6, #401714));
    --_ok: var(--wg-ok, light-dark(#17693a, #6fd99a));
    --_warn: var(--wg-warn, light-dark(#8a4b00, #ffc069));
    --_warn-soft: var(--wg-warn-soft, light-dark(#fff0da, #3a2708));
    --_focus: var(--wg-focus, light-dark(#1d6fd1, #7cc5f7));
    --_font: var(--wg-font, system-ui, sans-serif);
    color: var(--_text);
    font-family: var(--_font);
    font-size: 0.9375rem;
    line-height: 1.45;
  }
  *, *::before, *::after { box-sizing: border-box; }
  [hidden] { display: none !important; }
  button, input { font: inherit; color: inherit; }
  :focus-visible { outline: 3px solid var(--_focus); outline-offset: 1px; }
  .sr { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
  button {
    display: inline-flex; align-items: center; justify-content: center; gap: 0.4rem; min-block-size: 2.25rem; padding: 0.25rem 0.75rem;
    border: 1px solid var(--_line-strong); border-radius: 6px; background: var(--_surface); font-weight: 600; cursor: pointer;
  }
  button:hover { background: var(--_surface-2); }
  button:disabled { opacity: 0.4; cursor: default; }
  button.primary { background: var(--_brand); border-color: var(--_brand); color: var(--_on-brand); }
  button.plain { border-color: transparent; background: none; }
  button.plain:hover { background: var(--_surface-3); }
  dialog {
    inline-size: min(42rem, calc(100vw - 2rem)); max-block-size: calc(100dvh - 3rem); padding: 1.25rem; overflow: auto;
    border: 1px solid var(--_line); border-radius: 14px; background: var(--_surface); color: var(--_text);
    box-shadow: 0 12px 40px rgb(0 0 0 / 35%);
  }
  dialog::backdrop { background: rgb(0 0 0 / 55%); }
  dialog header { display: flex; align-items: center; justify-content: space-between; gap: 1rem; margin-block-end: 0.75rem; }
  dialog h2 { margin: 0; font-size: 1.2rem; }
`;

/** The list of keys in a dialog. */
export const keyStyles = css`
  .keys { display: grid; grid-template-columns: fit-content(40%) 1fr; align-items: baseline; gap: 0.35rem 1rem; margin: 0; font-size: 0.875rem; }
  .keys dt { font-weight: 600; }
  .keys dd { margin: 0; }
  .keys .change { min-block-size: 1.5rem; margin-inline-start: -0.4rem; padding: 0 0.4rem; font-size: 0.8125rem; color: var(--_text-2); }
  .keys-said { margin: 0 0 0.6rem; font-size: 0.875rem; color: var(--_text-2); }
  @media (width < 34rem) { .keys { grid-template-columns: fit-content(5.5rem) 1fr; column-gap: 0.75rem; } }
  @media (pointer: coarse) { .keys .change { min-block-size: 2.25rem; } }
`;

/** What all tools have: the bar, the picture, the panel beside it (below it on a phone) with the labels. */
export const toolStyles = css`
  ${keyStyles}
  :host {
    display: block; min-inline-size: 0; container-type: inline-size;
    block-size: var(--crowd-height, min(85dvh, 60rem)); min-block-size: 24rem;
  }
  .root { position: relative; display: flex; flex-direction: column; block-size: 100%; background: var(--_surface); overflow: hidden; }
  .bar { display: flex; align-items: center; gap: 2px; padding: 0.25rem 0.5rem; border-block-end: 1px solid var(--_line); overflow-x: auto; scrollbar-width: none; }
  .bar h1 { margin: 0 0.75rem 0 0.25rem; font-size: 1rem; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; min-inline-size: 4rem; }
  .bar .gap { flex: 1; }
  .bar .rule { inline-size: 1px; block-size: 1.5rem; margin-inline: 0.35rem; background: var(--_line); flex: none; }
  .bar button { min-inline-size: 2.5rem; min-block-size: 2.5rem; padding: 0.25rem 0.5rem; flex: none; }
  .bar button[aria-pressed="true"] { background: var(--_brand-soft); border-color: var(--_brand-line); }
  .percent { min-inline-size: 3.6em; font-variant-numeric: tabular-nums; font-size: 0.8125rem; }

  .more { padding: 0.5rem 0.75rem; border-block-start: 1px solid var(--_line); max-block-size: 40cqh; overflow: auto; }
  .end { display: flex; justify-content: flex-end; padding: 0.5rem 0.75rem; border-block-start: 1px solid var(--_line); }
  .end .primary { min-inline-size: 8rem; min-block-size: 2.5rem; }
  .main { flex: 1; display: grid; grid-template-columns: minmax(0, 1fr) 18.5rem; min-block-size: 0; }
  .work { position: relative; min-inline-size: 0; min-block-size: 0; background: light-dark(#d9d5cb, #0b0a08); overflow: hidden; }
  .canvas { position: absolute; inset: 0; touch-action: none; user-select: none; -webkit-user-select: none; overflow: hidden; }
  .canvas:focus-visible { outline: none; }
  .canvas:focus-visible::after { content: ""; position: absolute; inset: 0; border: 3px solid var(--_focus); pointer-events: none; }
  .notice { position: absolute; inset: 0; display: grid; place-content: center; justify-items: center; gap: 0.75rem; padding: 1.5rem; text-align: center; background: var(--_surface-2); }

  .side { display: flex; flex-direction: column; min-block-size: 0; border-inline-start: 1px solid var(--_line); overflow-y: auto; }
  .side > section { padding: 0.75rem; border-block-end: 1px solid var(--_line); }
  .side h2 { display: flex; align-items: center; justify-content: space-between; gap: 0.5rem; margin: 0 0 0.4rem; font-size: 0.8125rem; font-weight: 650; color: var(--_text-2); }
  .brief { font-size: 0.875rem; overflow-wrap: anywhere; }
  .brief button { min-block-size: 2rem; margin-block-start: 0.4rem; font-size: 0.8125rem; }
  .find { inline-size: 100%; min-block-size: 2.25rem; margin-block-end: 0.4rem; padding: 0.2rem 0.6rem; border: 1px solid var(--_line-strong); border-radius: 6px; background: var(--_surface); }
  .palette { display: flex; flex-direction: column; gap: 2px; max-block-size: 17rem; overflow: auto; }
  .label { justify-content: flex-start; min-block-size: 2.25rem; padding: 0.15rem 0.5rem; border-color: transparent; background: none; font-weight: 500; text-align: start; flex: none; }
  .label span.name { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
  .label kbd { margin-inline-start: auto; }
  .label[aria-pressed="true"] { background: var(--_brand-soft); border-color: var(--_brand-line); font-weight: 650; }
  kbd { flex: none; min-inline-size: 1.5em; padding: 0 0.35em; border: 1px solid var(--_line-strong); border-radius: 4px; font: 600 0.75rem/1.5 ui-monospace, monospace; text-align: center; color: var(--_text-2); background: var(--_surface); }
  .spot { flex: none; inline-size: 0.95rem; block-size: 0.95rem; }
  .spot rect { stroke: rgb(0 0 0 / 55%); }
  .empty { margin: 0; color: var(--_text-2); font-size: 0.875rem; }
  .warn { margin: 0.5rem 0 0; padding: 0.5rem 0.7rem; border-radius: 8px; background: var(--_bad-soft); color: var(--_bad); font-size: 0.875rem; font-weight: 600; }

  .light { position: absolute; inset-block-start: 0.5rem; inset-inline-end: 0.5rem; z-index: 3; display: grid; grid-template-columns: auto 9rem; align-items: center; gap: 0.4rem 0.75rem; padding: 0.8rem; font-size: 0.8125rem; background: var(--_surface); border: 1px solid var(--_line); border-radius: 10px; box-shadow: 0 8px 30px rgb(0 0 0 / 30%); }
  .light input { accent-color: var(--_brand); min-block-size: 1.75rem; inline-size: 100%; }
  .light button { grid-column: 1 / -1; }

  @container (width < 46rem) {
    .bar { padding: 0.2rem 0.25rem; }
    .bar h1, .bar .wide, .bar .rule { display: none; }
    .bar button { min-inline-size: 2.75rem; min-block-size: 2.75rem; }
    .bar.many button { min-inline-size: 2.2rem; padding-inline: 0.2rem; }
    .main { grid-template: minmax(0, 1fr) auto / minmax(0, 1fr); }
    .side { border: 0; border-block-start: 1px solid var(--_line); max-block-size: 45cqh; overflow: visible; }
    .side > section { padding: 0.4rem 0.5rem; border: 0; }
    .side h2.quiet, .brief { display: none; }
    .palette { flex-direction: row; max-block-size: none; overflow-x: auto; scrollbar-width: none; }
    .label { min-block-size: 2.75rem; border: 1px solid var(--_line); max-inline-size: 11rem; }
    .label kbd { display: none; }
    .find { min-block-size: 2.5rem; font-size: 1rem; }
  }
  @container (width < 24rem) { .bar .tight { display: none; } }
`;

/** What the drawing tools have. */
export const shapeStyles = css`
  .canvas { cursor: crosshair; }
  .canvas.hand { cursor: grab; }
  .canvas.over { cursor: pointer; }
  .canvas.move { cursor: move; }
  .canvas.copy { cursor: copy; }
  .canvas.ns { cursor: ns-resize; }
  .canvas.ew { cursor: ew-resize; }
  .canvas.nwse { cursor: nwse-resize; }
  .canvas.nesw { cursor: nesw-resize; }
  .hint { position: absolute; inset-block-start: 0.6rem; inset-inline: 0; margin-inline: auto; inline-size: max-content; max-inline-size: calc(100% - 1rem);
    padding: 0.3rem 0.8rem; border-radius: 999px; background: rgb(20 18 12 / 82%); color: #fff; font-size: 0.8125rem; pointer-events: none; }
  .acts { position: absolute; inset-block-end: 0.6rem; inset-inline: 0; margin-inline: auto; inline-size: max-content; display: flex; gap: 2px; padding: 3px;
    background: var(--_surface); border: 1px solid var(--_line); border-radius: 9px; box-shadow: 0 4px 16px rgb(0 0 0 / 30%); }
  .acts button { border-color: transparent; background: none; min-inline-size: 2.75rem; min-block-size: 2.5rem; }
  .acts button:hover { background: var(--_surface-3); }
  .acts .size { align-self: center; min-inline-size: 4em; text-align: center; font-size: 0.8125rem; font-variant-numeric: tabular-nums; }
  .acts .danger { color: var(--_bad); }
  .boxes { flex: 1; }
  .list { margin: 0; padding: 0; list-style: none; }
  .list li { display: flex; align-items: center; border-radius: 6px; }
  .list li.on { background: var(--_brand-soft); }
  .list li > button { border-color: transparent; background: none; font-weight: 500; min-inline-size: 0; }
  .list .go { flex: 1; justify-content: flex-start; padding-inline: 0.5rem; text-align: start; }
  .list .go small { margin-inline-start: auto; color: var(--_text-2); font-variant-numeric: tabular-nums; white-space: nowrap; }
  .list .go span { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
  .list .gone { min-inline-size: 1.75rem; padding: 0; color: var(--_text-2); }
  @media (pointer: coarse) { .list .gone { min-inline-size: 2.75rem; min-block-size: 2.75rem; } }
  .list .marked, .every .marked { color: var(--_text); background: var(--_surface-3); }
  .attributes { display: grid; gap: 0.15rem; font-size: 0.875rem; }
  .attributes label { font-weight: 600; margin-block-start: 0.3rem; overflow-wrap: anywhere; }
  .attributes :is(input, select) { font: inherit; color: inherit; inline-size: 100%; min-block-size: 2.25rem; padding: 0.2rem 0.5rem; border: 1px solid var(--_line-strong); border-radius: 6px; background: var(--_surface); }
  .attributes small { color: var(--_text-2); }
  .head { display: flex; align-items: center; gap: 0.4rem; }
  .head h2 { flex: 1; margin: 0; }
  .every { display: flex; gap: 2px; }
  .every button { min-inline-size: 2.25rem; padding: 0; border-color: transparent; background: none; color: var(--_text-2); }
  .none { display: flex; gap: 0.6rem; align-items: flex-start; padding: 0.6rem 0.7rem; border: 1px dashed var(--_line-strong); border-radius: 8px; cursor: pointer; font-size: 0.875rem; font-weight: 600; }
  .none:has(input:checked) { border-style: solid; background: var(--_brand-soft); border-color: var(--_brand-line); }
  .none:has(:disabled) { opacity: 0.5; cursor: default; }
  .none input { flex: none; inline-size: 1.2rem; block-size: 1.2rem; margin: 0.05rem 0 0; accent-color: light-dark(#9a6200, #f4b223); }
  .listing { display: none; }

  @container (width < 46rem) {
    .boxes:not(.open) { display: none; }
    .boxes { max-block-size: 11rem; overflow-y: auto; }
    .list li > button { min-block-size: 2.75rem; }
    .finish { display: flex; gap: 0.5rem; align-items: stretch; flex-wrap: wrap; }
    .finish .none { flex: 1; padding: 0.45rem 0.6rem; }
    .finish .warn { order: -1; inline-size: 100%; margin: 0; }
    .listing { display: inline-flex; }
    .acts button { min-inline-size: 3.25rem; min-block-size: 2.75rem; }
  }
`;

/** What only the classifiers have. */
export const choiceStyles = css`
  .canvas { cursor: grab; }
  .canvas:active { cursor: grabbing; }
  .canvas img { position: absolute; inset: 0 auto auto 0; max-inline-size: none; transform-origin: 0 0; }
  .labels { display: flex; flex-direction: column; flex: 1; }
  .warn { margin: 0 0 0.5rem; }
  .choices { display: flex; flex-direction: column; gap: 4px; }
  .label { min-block-size: 2.75rem; padding: 0.35rem 0.6rem; gap: 0.65rem; border: 1px solid var(--_line); }
  .label span.name { white-space: normal; overflow-wrap: anywhere; line-height: 1.25; }
  .label[aria-checked="true"] { background: var(--_brand-soft); border-color: var(--_brand-line); }
  .label[aria-disabled="true"] { opacity: 0.55; cursor: default; }
  .dot { flex: none; inline-size: 1.15rem; block-size: 1.15rem; border: 2px solid var(--_line-strong); border-radius: 50%; background: var(--_surface); }
  .label[role="checkbox"] .dot { border-radius: 5px; }
  .label.no-label { margin-block-start: 0.4rem; border-style: dashed; }
  .label[aria-checked="true"] .dot { border: 0.36rem solid light-dark(#9a6200, #f4b223); }

  @container (width < 46rem) {
    .side { max-block-size: 50cqh; overflow-y: auto; }
    .choices { display: grid; grid-template-columns: repeat(auto-fill, minmax(9.5rem, 1fr)); gap: 6px; }
    .label { max-inline-size: none; min-block-size: 3rem; }
  }
`;

/** What the tools have in which a sheet beside the target is filled in. */
export const sheetStyles = css`
  .main { grid-template-columns: minmax(0, 1fr) minmax(18.5rem, 26rem); }
  .work { background: var(--_surface); }
  .paper { position: absolute; inset: 0; padding: 1rem clamp(1rem, 4cqw, 3rem); overflow: auto; font-size: 1.0625rem; line-height: 1.6; }
  .paper:focus-visible { outline-offset: -3px; }
  .paper h2 { margin: 1rem 0 0.25rem; font-size: 0.875rem; color: var(--_text-2); }
  .paper p { max-inline-size: 46rem; margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; }
  .paper textarea { inline-size: 100%; block-size: 100%; border: 0; outline-offset: -3px; background: none; font: inherit; line-height: inherit; color: inherit; resize: none; }
  .instructions { color: var(--_text-2); font-size: 0.9375rem; }
  .sheet h2 span { font-weight: 400; }
  .sheet .warn { margin: 0.75rem; }
  .row { display: flex; flex-wrap: wrap; align-items: center; gap: 0.25rem; margin-block-end: 0.4rem; }
  .row > span { inline-size: 100%; font-size: 0.875rem; }
  .rank { display: inline-grid; place-items: center; min-inline-size: 2.5rem; min-block-size: 2.5rem; border: 1px solid var(--_line-strong); border-radius: 6px; cursor: pointer; font-weight: 600; }
  .rank > * { grid-area: 1 / 1; }
  .rank input { inline-size: 100%; block-size: 100%; margin: 0; opacity: 0; cursor: inherit; }
  .rank:has(:checked) { background: var(--_brand); border-color: var(--_brand); color: var(--_on-brand); }
  .rank:has(:focus-visible) { outline: 3px solid var(--_focus); outline-offset: 1px; }
  .card { margin: 0; padding: 0.75rem; border: 0; border-block-end: 1px solid var(--_line); min-inline-size: 0; }
  .card.on { background: var(--_brand-soft); }
  .card legend { float: inline-start; inline-size: 100%; padding: 0; margin-block-end: 0.25rem; font-weight: 650; overflow-wrap: anywhere; }
  .card legend + * { clear: both; }
  .card > label:not(.tick) { display: block; margin-block: 0.4rem 0.15rem; font-size: 0.8125rem; color: var(--_text-2); }
  .card input[type="text"], .card textarea { inline-size: 100%; min-block-size: 2.5rem; padding: 0.35rem 0.6rem; border: 1px solid var(--_line-strong); border-radius: 6px;
    background: var(--_surface); font: inherit; color: inherit; resize: vertical; }
  .card small { color: var(--_text-2); }
  .tick { display: inline-flex; align-items: center; gap: 0.4rem; min-block-size: 2rem; margin-inline-end: 0.75rem; font-size: 0.875rem; }
  .tick input { inline-size: 1.1rem; block-size: 1.1rem; margin: 0; accent-color: light-dark(#9a6200, #f4b223); }
  .quotes { margin: 0.25rem 0; padding: 0; list-style: none; }
  .quotes li { display: flex; align-items: center; gap: 0.25rem; }
  .quotes .go { flex: 1; justify-content: flex-start; min-inline-size: 0; border-color: transparent; background: none; font-weight: 400; text-align: start; }
  .quotes .go span { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }

  @container (width < 46rem) {
    .main { grid-template: minmax(8rem, 2fr) minmax(0, 3fr) / minmax(0, 1fr); }
    .side.sheet { max-block-size: none; overflow-y: auto; }
  }
`;

/** What only the classifier of pictures has: what is shown over the picture, and the comment. */
export const reviewStyles = css`
  .over { position: absolute; inset: 0 auto auto 0; overflow: visible; pointer-events: none; transform-origin: 0 0; }
  .over rect, .over path { fill: none; stroke-width: calc(3px / var(--_scale, 1)); vector-effect: non-scaling-stroke; }
  .over path:not([stroke]) { stroke: #d4006a; }
  .over .point { r: calc(5px / var(--_scale, 1)); stroke: #111; stroke-width: calc(1px / var(--_scale, 1)); }
  .over .mask { opacity: 0.75; mix-blend-mode: multiply; image-rendering: pixelated; }
  .legend { position: absolute; inset-block-end: 0.5rem; inset-inline-start: 0.5rem; margin: 0; padding: 0.4rem 0.6rem; list-style: none; font-size: 0.8125rem;
    background: var(--_surface); border: 1px solid var(--_line); border-radius: 8px; pointer-events: none; }
  .legend li { display: flex; align-items: center; gap: 0.4rem; }
  .earlier { margin: 0 0 0.75rem; overflow-wrap: anywhere; }
  .comment-link { margin-block-start: 0.75rem; align-self: start; }
  .comment { margin: 0.4rem 0 0; font-size: 0.875rem; white-space: pre-wrap; overflow-wrap: anywhere; }
  dialog textarea { inline-size: 100%; padding: 0.4rem 0.6rem; border: 1px solid var(--_line-strong); border-radius: 6px; background: var(--_surface); font: inherit; color: inherit; }
`;
