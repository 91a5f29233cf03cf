/** <crowd-keypoint>: set labeled points on a picture. Attributes and children: drawing-element.ts. */
import { KEYPOINT } from "../paths/forms";
import { PathElement } from "./path-element";
import { crowdElement } from "./registry";
import { msg } from "../locale";

@crowdElement("crowd-keypoint")
export class CrowdKeypoint extends PathElement {
  protected readonly form = KEYPOINT;
  protected readonly drawing = { glyph: "crosshair", how: msg("click") } as const;
  protected readonly request = msg("Set each key point");
}
