/**
 * <crowd-rekognition-detect-moderation-labels>: choose which of the labels that a model proposed a picture deserves, or that none
 * does.
 *
 * Attributes: src, header, categories (JSON or JSON5: texts, or objects with `name`), exclusion-category ({text}), disabled.
 * Children: <short-instructions>, <full-instructions header>.
 * The answer stands under a name of its own. `value` is Rekognition's: the chosen categories as they were given, objects whole.
 * Without an exclusion-category there is a button for "none" all the same, so that an empty list is always said on purpose.
 */
import type { ChoicesDraft, ClassesAnswer } from "../classes/choices";
import { parseLenient } from "../labels/labels";
import { SEVERAL } from "./classifier-element";
import { PictureClassifier } from "./image-classifier";
import { crowdElement } from "./registry";
import { msg } from "../locale";

const NAME = "AWS/Rekognition/DetectModerationLabels/Image/V3";

@crowdElement("crowd-rekognition-detect-moderation-labels")
export class CrowdModerationLabels extends PictureClassifier<ChoicesDraft> {
  protected override readonly manner = SEVERAL;
  /** Each category as it was given, by the name that is shown. */
  private whole = new Map<string, unknown>();

  constructor() {
    super();
    this.exclusionCategory = { text: msg("None of these") };
  }

  override get value(): { ModerationLabels: unknown[] } | null {
    const chosen = super.value as ClassesAnswer | null;
    return chosen && { ModerationLabels: chosen.labels.filter((name) => this.whole.has(name)).map((name) => this.whole.get(name)) };
  }

  override willUpdate(changed: Map<string, unknown>): void {
    this.name = NAME;
    super.willUpdate(changed);
  }

  protected override readLabels(): void {
    super.readLabels();
    const raw = typeof this.categories === "string" ? parseLenient(this.categories, "categories") : this.categories;
    this.whole = new Map((raw as unknown[]).map((one) => {
      const { label, name } = (typeof one === "object" && one !== null ? one : { name: one }) as { label?: unknown; name?: unknown };
      return [String(label ?? name), one];
    }));
  }
}
