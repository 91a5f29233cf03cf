/** <form data-upload="/api/v1/uploads" data-account="…">: before such a form is submitted, the files of its field `files` are
 *  uploaded in parts, with progress; the upload can be stopped and resumed. Then the form is submitted with the upload's name in
 *  its field `folder`. Without the script the form itself has the files. Files can also be dropped on a .dropzone. */
import { csrfToken } from "./csrf";
import { inParts } from "./parts";
import { msg, str } from "../locale";

const TRIES = 4;

class Refused extends Error {}

class Upload {
  private folder: string;
  private sent = 0;
  private request: XMLHttpRequest | null = null;
  private stopped = false;
  private readonly box = document.createElement("div");
  private readonly words = document.createElement("span");
  private readonly bar = document.createElement("progress");

  constructor(private readonly form: HTMLFormElement, private readonly files: File[]) {
    this.folder = this.field?.value ?? "";
    const stop = document.createElement("button");
    stop.type = "button";
    stop.className = "btn btn-s";
    stop.textContent = msg("Stop");
    stop.addEventListener("click", () => this.stop());
    const line = document.createElement("div");
    line.className = "spread";
    this.words.setAttribute("role", "status");
    line.append(this.words, stop);
    this.bar.setAttribute("aria-label", msg("Upload"));
    this.bar.max = Math.max(1, files.reduce((sum, file) => sum + file.size, 0));
    this.box.className = "progress";
    this.box.append(line, this.bar);
  }

  private get field(): HTMLInputElement | null {
    return this.form.elements.namedItem("folder") as HTMLInputElement | null;
  }

  /** Uploads everything. Returns true when the form may be submitted. */
  async run(): Promise<boolean> {
    const buttons = [...this.form.querySelectorAll<HTMLButtonElement>("button[type=submit]")];
    for (const button of buttons) button.disabled = true;
    this.form.querySelector(".form-actions")?.before(this.box);
    let done = 0;
    try {
      for (const part of inParts(this.files)) {
        this.show(done);
        await this.persist(part);
        done += part.length;
        this.sent += part.reduce((sum, file) => sum + file.size, 0);
      }
      this.box.remove();
      return true;
    } catch (error) {
      // parts that arrived stay on the server: the field keeps only the files that are still to be sent
      this.words.textContent = this.stopped
        ? msg(str`Stopped: ${done} of ${this.files.length} files arrived.`)
        : msg(str`The upload broke off after ${done} of ${this.files.length} files: ${(error as Error).message}`);
      this.box.querySelector("button")?.remove();
      this.keep(this.files.slice(done));
      return false;
    } finally {
      for (const button of buttons) button.disabled = false;
    }
  }

  private stop(): void {
    this.stopped = true;
    this.request?.abort();
  }

  private keep(rest: File[]): void {
    const input = this.form.elements.namedItem("files") as HTMLInputElement;
    const list = new DataTransfer();
    for (const file of rest) list.items.add(file);
    input.files = list.files;
  }

  private show(done: number): void {
    this.words.textContent = msg(str`Uploading: ${done} of ${this.files.length} files`);
    this.bar.value = this.sent;
  }

  private async persist(part: File[]): Promise<void> {
    for (let tried = 1; ; tried += 1) {
      try {
        return await this.send(part);
      } catch (error) {
        if (this.stopped || error instanceof Refused || tried === TRIES) throw error;
        await new Promise((resolve) => window.setTimeout(resolve, 1000 * 2 ** tried));
        if (this.stopped) throw error;
      }
    }
  }

  private send(part: File[]): Promise<void> {
    const body = new FormData();
    if (this.folder) body.append("folder", this.folder);
    for (const file of part) body.append("files", file, file.webkitRelativePath || file.name);
    return new Promise((resolve, reject) => {
      const request = (this.request = new XMLHttpRequest());
      request.open("POST", this.form.dataset["upload"]!);
      request.setRequestHeader("Accept", "application/json");
      request.setRequestHeader("X-CSRFToken", csrfToken());
      if (this.form.dataset["account"]) request.setRequestHeader("Waggle-Account", this.form.dataset["account"]);
      request.upload.addEventListener("progress", (event) => (this.bar.value = this.sent + event.loaded));
      request.addEventListener("load", () => {
        const answer = this.read(request.responseText);
        if (request.status === 201 && answer.folder) {
          this.folder = answer.folder;
          if (this.field) this.field.value = answer.folder;
          resolve();
        } else {
          const why = answer.errors?.[0]?.reason ?? answer.detail ?? `the server answered ${request.status}.`;
          reject(request.status >= 500 || request.status === 429 ? new Error(why) : new Refused(why));
        }
      });
      for (const kind of ["error", "timeout"]) request.addEventListener(kind, () => reject(new Error("the connection was lost.")));
      request.addEventListener("abort", () => reject(new Error("stopped.")));
      request.send(body);
    });
  }

  private read(text: string): { folder?: string; detail?: string; errors?: { reason: string }[] } {
    try {
      return JSON.parse(text) as { folder?: string };
    } catch {
      return { detail: "the server's answer cannot be read." };
    }
  }
}

function onDrop(event: DragEvent): void {
  const zone = (event.target as Element).closest<HTMLElement>(".dropzone");
  const input = zone?.querySelector<HTMLInputElement>("input[type=file]");
  zone?.classList.toggle("over", event.type === "dragover");
  if (!zone || !input || !event.dataTransfer) return;
  event.preventDefault();
  if (event.type !== "drop" || event.dataTransfer.files.length === 0) return;
  input.files = event.dataTransfer.files;
  input.dispatchEvent(new Event("change", { bubbles: true }));
}

/** Sets up every such form and dropzone of the page. */
export function sendFilesAhead(): void {
  document.addEventListener("submit", (event) => {
    const form = event.target as HTMLFormElement;
    const input = form.elements.namedItem("files");
    if (event.defaultPrevented || !form.dataset["upload"] || !(input instanceof HTMLInputElement)) return;
    const files = [...(input.files ?? [])];
    if (files.length === 0 || input.closest("[hidden]")) return;
    event.preventDefault();
    form.querySelector(":scope > .progress")?.remove();
    void new Upload(form, files).run().then((arrived) => {
      if (!arrived) return;
      input.value = "";
      form.requestSubmit();
    });
  });
  for (const kind of ["dragover", "dragleave", "drop"] as const) document.addEventListener(kind, onDrop);
}
