/**
 * <crowd-image-classifier> and <crowd-image-classifier-multi-select>: choose the one label, or all the labels, that a picture gets.
 *
 * Attributes: name, src, header, categories (JSON or JSON5: texts, or objects with `label`), initial-value ({label} or {labels}),
 * disabled; for several labels exclusion-category ({text}); for one label overlay (an earlier answer to show on the picture).
 * Children: <short-instructions>, <full-instructions header>; for one label <worker-comment header link-text placeholder>.
 * Properties and events: those of every crowd element (element.ts). `value` is Ground Truth's answer, {label} or {labels}, and
 * `workerComment` where there is one.
 */
import { html, nothing } from "lit";
import { query } from "lit/decorators.js";
import type { ChoiceDraft } from "../classes/choice";
import type { ChoicesDraft } from "../classes/choices";
import type { Command } from "../classes/keys";
import { PictureView } from "../picture/picture-view";
import { iconButton } from "./buttons";
import { ClassifierElement, ONE, SEVERAL } from "./classifier-element";
import { filterOf, lightPanel } from "./light";
import { drawn, legend } from "./overlay";
import { crowdElement } from "./registry";
import { msg, str } from "../locale";

export abstract class PictureClassifier<Draft extends object> extends ClassifierElement<Draft, HTMLImageElement> {
  @query(".canvas") private frame!: HTMLDivElement;
  protected picture: PictureView | null = null;
  protected size = { width: 0, height: 0 };

  protected override show(image: HTMLImageElement): void {
    this.size = { width: image.naturalWidth, height: image.naturalHeight };
    this.picture = new PictureView(this.frame, image, () => this.requestUpdate());
  }

  protected override stop(): void {
    super.stop();
    this.picture?.destroy();
    this.picture = null;
  }

  override updated(changed: Map<string, unknown>): void {
    super.updated(changed);
    if (changed.has("light")) this.frame.style.filter = filterOf(this.light);
  }

  protected override look(command: Command): void {
    if (command.do === "pan") this.picture?.pan(command.dx, command.dy);
    else if (command.do === "zoom") this.picture?.zoom(command.factor);
    else this.picture?.fitView();
  }

  protected override target() {
    return html`<div class="canvas" role="img" aria-label=${msg(str`Picture to label${this.header ? `: ${this.header}` : ""}`)}></div>`;
  }

  protected override over() {
    return this.lightOpen ? lightPanel(this.light, (light) => (this.light = light)) : nothing;
  }

  protected override tools() {
    const { picture } = this;
    return html`<span class="rule"></span>
      ${iconButton({ name: msg("Zoom out"), glyph: "minus", keys: "−", act: () => picture?.zoom(0.8) })}
      <span class="percent wide" aria-live="off">${Math.round((picture?.view.scale ?? 1) * 100)} %</span>
      ${iconButton({ name: msg("Zoom in"), glyph: "plus", keys: "+", act: () => picture?.zoom(1.25) })}
      ${iconButton({ name: msg("See the whole picture"), glyph: "maximize", keys: "F", act: () => picture?.fitView() })}
      <span class="rule"></span>
      ${iconButton({ name: msg("Brightness and contrast"), glyph: "sliders", pressed: this.lightOpen, act: () => (this.lightOpen = !this.lightOpen) })}`;
  }
}

@crowdElement("crowd-image-classifier")
export class CrowdImageClassifier extends PictureClassifier<ChoiceDraft> {
  protected override readonly manner = ONE;

  override updated(changed: Map<string, unknown>): void {
    super.updated(changed);
    const over = this.renderRoot.querySelector<SVGElement>(".over");
    const { picture } = this;
    if (!over || !picture) return;
    over.style.transform = `translate(${picture.view.x}px, ${picture.view.y}px) scale(${picture.view.scale})`;
    over.style.setProperty("--_scale", String(picture.view.scale)); // lines are as wide on the screen at any zoom
  }

  protected override over() {
    return html`${this.shownOver && this.picture ? html`${drawn(this.shownOver, this.size)}${legend(this.shownOver)}` : nothing}${super.over()}`;
  }
}

@crowdElement("crowd-image-classifier-multi-select")
export class CrowdImageClassifierMultiSelect extends PictureClassifier<ChoicesDraft> {
  protected override readonly manner = SEVERAL;
}
