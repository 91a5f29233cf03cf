/**
 * <crowd-classifier> and <crowd-classifier-multi-select>: choose the one label, or all the labels, that a text or anything else
 * in the region <classification-target> gets.
 *
 * Attributes: name, header, categories (JSON or JSON5: texts, or objects with `label`), initial-value ({label} or {labels}),
 * disabled; for several labels exclusion-category ({text}). Beyond Ground Truth's: src, the address of a text that is shown.
 * For one label overlay (an earlier answer to judge), as crowd-image-classifier has it.
 * Children: <classification-target>, <short-instructions>, <full-instructions header>; for one label <worker-comment>.
 * Properties and events: those of every crowd element (element.ts). `value` is Ground Truth's answer, {label} or {labels}.
 */
import { html, nothing } from "lit";
import { state } from "lit/decorators.js";
import type { ChoiceDraft } from "../classes/choice";
import type { ChoicesDraft } from "../classes/choices";
import { withoutPicture } from "../classes/keys";
import { isDark } from "../labels/colours";
import { loadText } from "../text/load";
import { paint } from "../text/marks";
import { stretches } from "../text/spans";
import { ClassifierElement, ONE, SEVERAL } from "./classifier-element";
import type { Hotkey } from "./element";
import { crowdElement } from "./registry";
import { markStyles, textStyles } from "./text-styles";
import { msg } from "../locale";

abstract class TextClassifier<Draft extends object> extends ClassifierElement<Draft, string> {
  static override styles = [...ClassifierElement.styles, textStyles, markStyles];
  @state() private text = "";
  protected override readonly subject = "text";

  override get hotkeys(): readonly Hotkey[] { return withoutPicture(super.hotkeys); }
  protected override get hasTarget(): boolean { return true; }
  protected override get slots(): Record<string, string> { return { ...super.slots, "classification-target": "target" }; }
  protected override loadTarget(src: string): Promise<string> { return src ? loadText(src) : Promise.resolve(""); }
  protected override show(text: string): void { this.text = text; }

  override updated(changed: Map<string, unknown>): void {
    super.updated(changed);
    paint(this.renderRoot);
  }

  /** The text, with the marks of an earlier answer, each with its label behind it. */
  private words(): unknown {
    const { text, shownOver } = this;
    if (!shownOver?.spans.length) return text;
    return stretches(text, shownOver.spans).map((piece) => {
      const top = piece.spans.at(-1);
      if (!top) return piece.text;
      const colour = shownOver.colours.get(top.label)!;
      const tag = top.end === piece.end ? html`<small class="tag">${top.label}</small>` : nothing;
      return html`<mark class=${isDark(colour) ? "dark" : ""} data-colour=${colour}>${piece.text}</mark>${tag}`;
    });
  }

  protected override target() {
    return html`<div class="text" role="region" aria-label=${msg("Text to label")} tabindex="0"><div class="words">${this.words()}</div><slot name="target"></slot></div>`;
  }
}

@crowdElement("crowd-classifier")
export class CrowdClassifier extends TextClassifier<ChoiceDraft> {
  protected override readonly manner = ONE;
}

@crowdElement("crowd-classifier-multi-select")
export class CrowdClassifierMultiSelect extends TextClassifier<ChoicesDraft> {
  protected override readonly manner = SEVERAL;
}
