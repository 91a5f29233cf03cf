/** <crowd-semantic-segmentation> and <crowd-instance-segmentation>: paint masks on a picture, one for each label or one for each
 *  object. Attributes and children: drawing-element.ts; `initial-value` names a mask by its address. */
import { type InstanceAnswer, type SemanticAnswer, instanceAnswer, semanticAnswer } from "../masks/answer";
import { MaskElement } from "./mask-element";
import { crowdElement } from "./registry";
import { msg } from "../locale";

@crowdElement("crowd-semantic-segmentation")
export class CrowdSemanticSegmentation extends MaskElement {
  protected readonly instances = false;
  protected readonly words = { one: msg("mask"), many: msg("masks") };

  /** The answer, or null while there is no picture. */
  get value(): SemanticAnswer | null {
    const { editor } = this;
    if (!editor) return null;
    const value = semanticAnswer(editor.mask, editor.entries, this.pngOf(editor));
    return this.initial ? { ...value, initialValueModified: this.modified } : value;
  }
}

@crowdElement("crowd-instance-segmentation")
export class CrowdInstanceSegmentation extends MaskElement {
  protected readonly instances = true;
  protected readonly words = { one: msg("instance"), many: msg("instances") };

  /** The answer, or null while there is no picture. */
  get value(): InstanceAnswer | null {
    const { editor } = this;
    if (!editor) return null;
    const value = instanceAnswer(editor.mask, editor.entries, this.pngOf(editor));
    return this.tellModified && this.initial ? { ...value, initialValueModified: this.modified } : value;
  }
}
