// @vitest-environment happy-dom
/** The task shell and <crowd-form> with an element of the tests' own: whatever implements the interface of crowd/element.ts works. */
import "fake-indexeddb/auto";
import { IDBFactory } from "fake-indexeddb";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { type CrowdElement, type TaskInput, emit } from "../src/crowd/element";
import "../src/crowd/crowd-form";
import { crowdElement, tagOf } from "../src/crowd/registry";
import type { TaskShell } from "../src/shell/task-shell";
import "../src/shell/task-shell";

/** Asks for one word. Everything that the interface demands, and nothing more. */
class AskWord extends HTMLElement implements CrowdElement {
  name = "";
  disabled = false;
  task: TaskInput | null = null;
  focused = 0;
  private words: string[] = [];
  private undone: string[] = [];
  readonly hotkeys = [{ keys: "W", does: "write a word" }];

  connectedCallback(): void { this.name = this.getAttribute("name") ?? ""; }
  get value() { return this.words.length > 0 ? { word: this.words.at(-1) } : null; }
  get validationMessage() { return this.value ? "" : "Write a word."; }
  reportValidity() { this.title = this.validationMessage; return !this.validationMessage; }
  get draft(): unknown { return this.words.length > 0 ? { words: this.words } : null; }
  set draft(draft: unknown) { this.words = [...(draft as { words: string[] }).words]; }
  get empty() { return this.words.length === 0; }
  get canUndo() { return this.words.length > 0; }
  get canRedo() { return this.undone.length > 0; }
  write(word: string) { this.words.push(word); emit(this, "change"); }
  undo() { this.undone.push(this.words.pop()!); emit(this, "change"); }
  redo() { this.words.push(this.undone.pop()!); emit(this, "change"); }
  override focus() { this.focused += 1; }
  openInstructions() { this.title = "instructions"; }
}
crowdElement("crowd-ask-word")(AskWord);

interface Sent { path: string; body: Record<string, unknown> }
let sent: Sent[] = [];
let claims = 0;

const assignment = (id: number, element: object = { tag: "crowd-ask-word", name: "answer" }) => ({
  id, task_id: id, queue_id: 7, lease_expires_at: "2030-01-01T00:00:00Z", seconds_left: 300, accepted_at: "2026-01-01T00:00:00Z",
  price: "0.036000", image_url: "", image_size: { width: 1, height: 1 }, labels: ["a"], task_type: "Any", title: "A word", element, initial_value: null,
});

/** The server at the other end of HTTP: gives out one task after the other and takes every answer. */
async function server(path: string, init?: RequestInit): Promise<Response> {
  sent.push({ path, body: JSON.parse(String(init?.body ?? "{}")) as Record<string, unknown> });
  const task = () => assignment(++claims);
  if (path.endsWith("/claim")) return Response.json({ assignment: task() });
  if (path.includes("/submit")) return Response.json({ status: "Submitted", paid: "0.036000", next_assignment: task() });
  if (path.endsWith("/return")) return Response.json({});
  if (path.includes("/assignments?")) return Response.json({ results: [] });
  return Response.json({ status: "Leased", seconds_left: 200 });
}

beforeEach(() => {
  sent = [];
  claims = 0;
  localStorage.clear();
  vi.stubGlobal("indexedDB", new IDBFactory());
  vi.stubGlobal("fetch", server);
});

afterEach(() => document.body.replaceChildren());

async function page(config: object = {}): Promise<{ shell: TaskShell; element: () => AskWord; find: (selector: string) => HTMLElement }> {
  const shell = document.createElement("waggle-task-shell") as TaskShell;
  shell.config = { queue_id: 7, worker_id: 1, ...config };
  document.body.append(shell);
  const find = (selector: string) => shell.shadowRoot!.querySelector<HTMLElement>(selector)!;
  await vi.waitFor(() => expect(find(".element, .whole h1")).toBeTruthy());
  return { shell, element: () => find(".element") as AskWord, find };
}

const submit = (find: (selector: string) => HTMLElement) => find('[form-action="submit"]').click();

it("shows a task in the element that its tag names, with the focus in it", async () => {
  const { element } = await page();
  expect(element()).toBeInstanceOf(AskWord);
  expect(element().task?.labels).toEqual(["a"]);
  await vi.waitFor(() => expect(element().focused).toBe(1));
});

it("hands in the value under the element's name, and only when the element has no objection", async () => {
  const { element, find } = await page();
  submit(find);
  expect(element().title).toBe("Write a word.");
  expect(sent.some(({ path }) => path.includes("/submit"))).toBe(false);
  element().write("bee");
  submit(find);
  await vi.waitFor(() => expect(element().task).toMatchObject({ id: 2 }));
  expect(sent.find(({ path }) => path.includes("/submit"))?.body["answer"]).toEqual({ answer: { word: "bee" } });
  expect(element().value).toBeNull();
});

it("submits when the element asks for it, but not while the button is off", async () => {
  const { element } = await page();
  element().write("bee");
  emit(element(), "request-submit");
  await vi.waitFor(() => expect(element().task).toMatchObject({ id: 2 }));

  document.body.replaceChildren();
  sent = [];
  const preview = await page({ preview: true, assignment: assignment(9) });
  preview.element().write("bee");
  emit(preview.element(), "request-submit");
  expect(sent).toEqual([]);
});

it("restores the element's draft after a reload, whatever is in it", async () => {
  const first = await page();
  first.element().write("bee");
  first.element().write("wasp");
  await vi.waitFor(() => expect(JSON.stringify({ ...localStorage })).toContain("wasp"));
  document.body.replaceChildren();

  const second = await page();
  expect(second.element().value).toEqual({ word: "wasp" });
  expect(second.element().canUndo).toBe(true);
  expect(sent.filter(({ path }) => path.endsWith("/claim"))).toHaveLength(1);
});

it("lists the element's keys in its help, opened by the element or by a key outside of it", async () => {
  const { element, find } = await page();
  expect(emit(element(), "help")).toBe(false);
  const help = find("#help") as HTMLDialogElement;
  await vi.waitFor(() => expect(help.querySelector("dl")?.textContent).toContain("write a word"));
  expect(help.open).toBe(true);
  help.close();
  document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "?", bubbles: true, composed: true }));
  expect(help.open).toBe(true);
});

it("undoes and redoes in the element from anywhere on the page", async () => {
  const { element } = await page();
  element().write("bee");
  const press = (key: string, shiftKey = false) =>
    document.body.dispatchEvent(new KeyboardEvent("keydown", { key, shiftKey, ctrlKey: true, bubbles: true, composed: true }));
  press("z");
  expect(element().value).toBeNull();
  press("Z", true);
  expect(element().value).toEqual({ word: "bee" });
});

it("asks before work is given back, and not when there is none", async () => {
  const confirm = vi.fn(() => false);
  vi.stubGlobal("confirm", confirm);
  window.confirm = confirm;
  const { element, find } = await page();
  element().write("bee");
  const giveBack = [...find(".actions").querySelectorAll("button")].find((button) => button.textContent === "Return")!;
  giveBack.click();
  expect(confirm).toHaveBeenCalledOnce();
  expect(sent.some(({ path }) => path.endsWith("/return"))).toBe(false);
  element().undo();
  giveBack.click();
  await vi.waitFor(() => expect(sent.some(({ path }) => path.endsWith("/return"))).toBe(true));
  expect(confirm).toHaveBeenCalledOnce();
});

it("says which element is missing instead of showing an empty page", async () => {
  const { find } = await page({ preview: true, assignment: assignment(1, { tag: "crowd-hologram", name: "x" }) });
  expect(find(".whole p").textContent).toContain("<crowd-hologram>");
});

it("takes the box tool where a server does not name a tag yet", async () => {
  expect(() => tagOf({})).toThrow("<crowd-bounding-box>");
  crowdElement("crowd-bounding-box")(class extends AskWord {});
  expect(tagOf({})).toBe("crowd-bounding-box");
  expect(tagOf({ tag: "crowd-ask-word" })).toBe("crowd-ask-word");
});
