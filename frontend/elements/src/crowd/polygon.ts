/** <crowd-polygon>: draw labeled polygons on a picture. Attributes and children: drawing-element.ts. */
import { POLYGON } from "../paths/forms";
import { PathElement } from "./path-element";
import { crowdElement } from "./registry";
import { msg } from "../locale";

@crowdElement("crowd-polygon")
export class CrowdPolygon extends PathElement {
  protected readonly form = POLYGON;
  protected readonly drawing = { glyph: "pentagon", how: msg("click point by point") } as const;
  protected readonly request = msg("Draw a polygon around each object");
}
