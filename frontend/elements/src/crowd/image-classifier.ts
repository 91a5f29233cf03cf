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
import { property, query, state } from "lit/decorators.js";
import type { ChoiceDraft, ClassAnswer } from "../classes/choice";
import type { ChoicesDraft } from "../classes/choices";
import type { Command } from "../classes/keys";
import { parseLenient } from "../labels/labels";
import { PictureView } from "../picture/picture-view";
import { iconButton } from "./buttons";
import { ClassifierElement, ONE, SEVERAL } from "./classifier-element";
import { filterOf, lightPanel } from "./light";
import { type Overlay, drawn, legend, readOverlay } from "./overlay";
import { crowdElement } from "./registry";
import { reviewStyles } from "./styles";
import { commentDialog, commentLink, regionOf } from "./worker-comment";

export abstract class PictureClassifier<Draft> extends ClassifierElement<Draft, HTMLImageElement> {
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
    return html`<div class="canvas" role="img" aria-label="Picture to label${this.header ? `: ${this.header}` : ""}"></div>`;
  }

  protected override over() {
    return this.lightOpen ? lightPanel(this.light, (light) => (this.light = light)) : nothing;
  }

  protected override tools() {
    const { picture } = this;
    return html`<span class="rule"></span>
      ${iconButton({ name: "Zoom out", glyph: "minus", keys: "−", act: () => picture?.zoom(0.8) })}
      <span class="percent wide" aria-live="off">${Math.round((picture?.view.scale ?? 1) * 100)} %</span>
      ${iconButton({ name: "Zoom in", glyph: "plus", keys: "+", act: () => picture?.zoom(1.25) })}
      ${iconButton({ name: "See the whole picture", glyph: "maximize", keys: "F", act: () => picture?.fitView() })}
      <span class="rule"></span>
      ${iconButton({ name: "Brightness and contrast", glyph: "sliders", pressed: this.lightOpen, act: () => (this.lightOpen = !this.lightOpen) })}`;
  }
}

@crowdElement("crowd-image-classifier")
export class CrowdImageClassifier extends PictureClassifier<ChoiceDraft & { comment?: string }> {
  static override styles = [...PictureClassifier.styles, reviewStyles];
  protected override readonly manner = ONE;

  /** {boundingBox: {labels, value}}, {semanticSegmentation: {labels, labelMappings, src}} or {instanceSegmentation: {labels, instances, src}}. */
  @property() overlay: unknown = null;
  @state() private comment = "";
  private shownOver: Overlay | null = null;

  protected override get watched(): readonly string[] { return [...super.watched, "overlay"]; }
  protected override get slots(): Record<string, string> { return { ...super.slots, "worker-comment": "comment" }; }

  override get value(): unknown {
    const answer = super.value as ClassAnswer | null;
    return answer && this.comment.trim() ? { ...answer, workerComment: this.comment } : answer;
  }

  override get draft(): (ChoiceDraft & { comment?: string }) | null {
    const draft = super.draft;
    return draft && this.comment ? { ...draft, comment: this.comment } : draft;
  }

  override set draft(draft: (ChoiceDraft & { comment?: string }) | null) {
    this.comment = draft?.comment ?? "";
    super.draft = draft;
  }

  override get empty(): boolean { return super.empty && this.comment === ""; }

  protected override show(image: HTMLImageElement): void {
    super.show(image);
    this.comment = this.waiting?.comment ?? "";
    const { overlay } = this;
    this.shownOver = readOverlay(typeof overlay === "string" && overlay ? parseLenient(overlay, "overlay") : overlay);
  }

  override updated(changed: Map<string, unknown>): void {
    super.updated(changed);
    const over = this.renderRoot.querySelector<SVGElement>(".over");
    const { picture } = this;
    if (over && picture) over.style.transform = `translate(${picture.view.x}px, ${picture.view.y}px) scale(${picture.view.scale})`;
  }

  protected override over() {
    return html`${this.shownOver && this.picture ? html`${drawn(this.shownOver, this.size)}${legend(this.shownOver)}` : nothing}${super.over()}`;
  }

  protected override below() {
    const region = regionOf(this);
    return region ? commentLink(region, this.comment, this.disabled) : nothing;
  }

  protected override dialogs() {
    const region = regionOf(this);
    return html`${super.dialogs()}${region ? commentDialog(region, this.comment, (comment) => { this.comment = comment; this.changed(); }) : nothing}`;
  }
}

@crowdElement("crowd-image-classifier-multi-select")
export class CrowdImageClassifierMultiSelect extends PictureClassifier<ChoicesDraft> {
  protected override readonly manner = SEVERAL;
}
