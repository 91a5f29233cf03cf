/** <crowd-polyline> and <crowd-line>: draw labeled lines of several points, or of two, on a picture. Attributes and children:
 *  drawing-element.ts; `label-colors` is a list of colours, one for each label, in the order of the labels. */
import { property } from "lit/decorators.js";
import { safeColour } from "../labels/colours";
import { parseLenient } from "../labels/labels";
import { LINE, POLYLINE } from "../paths/forms";
import { PathElement } from "./path-element";
import { crowdElement } from "./registry";
import { msg } from "../locale";

abstract class LinesElement extends PathElement {
  @property({ attribute: "label-colors" }) labelColors: unknown = null;

  protected override readLabels(): void {
    super.readLabels();
    const raw = this.labelColors;
    const colours = typeof raw === "string" && raw ? parseLenient(raw, "label-colors") : raw;
    if (!colours) return;
    if (!Array.isArray(colours)) throw new Error('The attribute "label-colors" is not a list.');
    this.known = this.known.map((label, at) => (typeof colours[at] === "string" ? { ...label, color: safeColour(colours[at], at) } : label));
  }

  override willUpdate(changed: Map<string, unknown>): void {
    // colours that come later are read again with the labels
    if (changed.has("labelColors") && !changed.has("labels")) changed.set("labels", this.labels);
    super.willUpdate(changed);
  }
}

@crowdElement("crowd-polyline")
export class CrowdPolyline extends LinesElement {
  protected readonly form = POLYLINE;
  protected readonly drawing = { glyph: "spline", how: msg("click point by point") } as const;
  protected readonly request = msg("Draw a line along each object");
}

@crowdElement("crowd-line")
export class CrowdLine extends LinesElement {
  protected readonly form = LINE;
  protected readonly drawing = { glyph: "slash", how: msg("drag, or click both ends") } as const;
  protected readonly request = msg("Draw each line");
}
