/**
 * <crowd-classifier> and <crowd-classifier-multi-select>: choose the one label, or all the labels, that a text or anything else
 * in the region <classification-target> gets.
 *
 * Attributes: name, header, categories (JSON or JSON5: texts, or objects with `label`), initial-value ({label} or {labels}),
 * disabled; for several labels exclusion-category ({text}). Beyond Ground Truth's: src, the address of a text that is shown.
 * Children: <classification-target>, <short-instructions>, <full-instructions header>.
 * Properties and events: those of every crowd element (element.ts). `value` is Ground Truth's answer, {label} or {labels}.
 */
import { html } from "lit";
import { state } from "lit/decorators.js";
import type { ChoiceDraft } from "../classes/choice";
import type { ChoicesDraft } from "../classes/choices";
import { withoutPicture } from "../classes/keys";
import { loadText } from "../text/load";
import { ClassifierElement, ONE, SEVERAL } from "./classifier-element";
import type { Hotkey } from "./element";
import { crowdElement } from "./registry";
import { textStyles } from "./text-styles";

abstract class TextClassifier<Draft> extends ClassifierElement<Draft, string> {
  static override styles = [...ClassifierElement.styles, textStyles];
  @state() private text = "";
  protected override readonly subject = "text";

  override get hotkeys(): readonly Hotkey[] { return withoutPicture(super.hotkeys); }
  protected override get hasTarget(): boolean { return true; }
  protected override get slots(): Record<string, string> { return { ...super.slots, "classification-target": "target" }; }
  protected override loadTarget(src: string): Promise<string> { return src ? loadText(src) : Promise.resolve(""); }
  protected override show(text: string): void { this.text = text; }

  protected override target() {
    return html`<div class="text" role="region" aria-label="Text to label" tabindex="0"><div class="words">${this.text}</div><slot name="target"></slot></div>`;
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
