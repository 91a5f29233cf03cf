/**
 * The interface of a crowd element: the part of the page in which a worker answers one task. <crowd-form> and the task shell
 * know an element by this interface only, so that a new kind of task is a new element and changes neither of them.
 * README.md, "How to add an element", shows the steps; registry.ts knows the elements by their tag.
 *
 * Events, all of which bubble and cross shadow roots:
 * - `crowd-change`: the worker changed something. `value`, `validationMessage`, `draft`, `empty` and what can be undone may differ.
 * - `crowd-ready`: the element is ready to be worked with. `value` and `validationMessage` may differ; `draft` does not.
 * - `crowd-error` (detail: a sentence): the element cannot show its task, for instance because the picture does not load.
 * - `crowd-request-submit`: the worker asked to submit from within the element, for instance with Enter. <crowd-form> listens.
 * - `crowd-help` (cancelable): the worker asked for the list of keys. Whoever shows `hotkeys` cancels it; if nobody does, the
 *   element shows its own list.
 */
import type { Size } from "../picture/plane";

/** What the server says about a task that an element may show (part of the answer to a claim). */
export interface TaskInput {
  image_url: string | null;
  /** The address of the text, where a text is labeled and no picture. */
  text_url?: string | null;
  /** The size in which positions on the picture are given, in pixels. The picture itself may be served smaller. */
  image_size: Size;
  labels: (string | { label: string; color?: string })[];
  /** What the answer starts from, in the form of the element's own `value` or part of it; null: from nothing. */
  initial_value: unknown;
  /** The page of the worker template that shows the task; missing or null for a task that an element shows. */
  frame_url?: string | null;
}

/** What the task after this one shows, as far as anybody knows, to be fetched ahead. */
export type Upcoming = Pick<TaskInput, "image_url" | "text_url" | "frame_url">;

/** One line of the list of keys. */
export interface Hotkey { readonly keys: string; readonly does: string }

export interface CrowdElement extends HTMLElement {
  /** The key under which `value` stands in the answer. */
  name: string;
  /** Nothing can be changed, but everything can be looked at. */
  disabled: boolean;
  /** What is to be shown. The shell sets it before the element is shown; templates use attributes instead. Set again it is another
   *  task, of which nothing is known yet: that happens only to elements with `upcoming`. */
  task: TaskInput | null;
  /** An element that has this property, also null, shows one task after the other, and may load ahead what comes next. */
  upcoming?: Upcoming | null;

  /** The answer as JSON data, or null as long as there is none. */
  readonly value: unknown;
  /** Empty when the answer may be submitted, otherwise a sentence for the worker that says what is missing. */
  readonly validationMessage: string;
  /** Shows `validationMessage` to the worker if there is one. Returns whether the answer may be submitted. */
  reportValidity(): boolean;

  /**
   * A snapshot of the work as JSON data, null while there is none. The shell stores it at each `crowd-change` and gives it back
   * after a reload or a crash, possibly before the element is ready. Only the element reads it. It must be enough to go on
   * exactly there; it may hold the steps that can be undone as well.
   */
  draft: unknown;
  /** Whether there is nothing that the worker would be sorry to lose. */
  readonly empty: boolean;
  readonly canUndo: boolean;
  readonly canRedo: boolean;
  undo(): void;
  redo(): void;

  /** The keys that work in this element, in the order in which a worker learns them. */
  readonly hotkeys: readonly Hotkey[];
  /** Puts the keyboard focus where these keys work. */
  focus(): void;
  /** Shows the full instructions, which the page gives as children <full-instructions> and <short-instructions>. */
  openInstructions(): void;
}

/** Sends one of the events above. Returns false if a listener cancelled it. */
export function emit(element: HTMLElement, kind: "change" | "ready" | "error" | "request-submit" | "help", detail?: unknown): boolean {
  return element.dispatchEvent(new CustomEvent(`crowd-${kind}`, { bubbles: true, composed: true, cancelable: kind === "help", detail }));
}
