/** The keys that the worker of this page has chosen: loaded from the server, and saved there. While that does not work, the browser
 *  keeps them, says so, and sends them when a page is opened again. */
import { keymap } from "../crowd/keymap";
import type { Api } from "./api";
import { msg } from "../locale";

const DEVICE_ONLY = msg("They are kept on this device only for now, and are sent again when you open a task:");

export class OwnKeys {
  /** Saves go one after the other, so that the last choice is the one that stays. */
  private saving: Promise<void> = Promise.resolve();

  /** `kept` is what the server has kept for the worker. */
  constructor(private readonly api: Pick<Api, "keepKeys">, worker: number, kept: unknown) {
    for (const element of keymap.belongTo(worker, kept)) this.save(element);
    keymap.addEventListener("chosen", this.onChosen);
  }

  stop(): void {
    keymap.removeEventListener("chosen", this.onChosen);
  }

  private readonly onChosen = (event: Event): void => this.save((event as CustomEvent<string>).detail);

  private save(element: string): void {
    keymap.wait(element, true);
    this.saving = this.saving.then(() => this.send(element));
  }

  private async send(element: string): Promise<void> {
    const chosen = keymap.of(element);
    try {
      await this.api.keepKeys(element, chosen);
      if (keymap.of(element) === chosen) keymap.wait(element, false);
      keymap.report("");
    } catch (error) {
      keymap.report(`${DEVICE_ONLY} ${(error as Error).message}`);
    }
  }
}
