/** Window and level for grey pictures of 16 bits: reads the picture's values when a worker asks for them and has the window that is
 *  chosen shown. Other pictures are left as the browser shows them. Knows neither tools nor answers. */
import { html, nothing } from "lit";
import { live } from "lit/directives/live.js";
import { type DeepPicture, MOST, WHOLE, type Window, fitting, readDeep, windowed } from "../picture/deep";
import { msg } from "../locale";

/** Larger pictures are not read: they would take too much memory. */
const MOST_PIXELS = 64e6;

export class DeepView {
  private picture: DeepPicture | null = null;
  private window: Window = WHOLE;
  private src = "";

  constructor(private readonly show: (image: HTMLCanvasElement) => void, private readonly update: () => void) {}

  /** Another picture is coming. */
  forget(): void {
    this.picture = null;
    this.window = WHOLE;
    this.src = "";
  }

  /** Reads the values of a picture, if it has more than a browser shows. */
  async look(src: string): Promise<void> {
    if (src === this.src) return;
    this.src = src;
    try {
      const found = readDeep(new Uint8Array(await (await fetch(src)).arrayBuffer()));
      if (src !== this.src || !found || found.values.length > MOST_PIXELS) return;
      this.picture = found;
      this.update();
    } catch (error) {
      console.info("the values of the picture cannot be read; it is shown as the browser shows it", error);
    }
  }

  reset(): void {
    if (this.picture) this.set(WHOLE);
  }

  private set(window: Window): void {
    const { picture } = this;
    if (!picture) return;
    this.window = window;
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [picture.size.width, picture.size.height];
    canvas.getContext("2d")!.putImageData(new ImageData(windowed(picture, window), canvas.width), 0, 0);
    this.show(canvas);
    this.update();
  }

  /** The sliders; nothing for a picture that has no more values than are shown. */
  panel() {
    const { picture, window } = this;
    if (!picture) return nothing;
    const slider = (name: string, key: keyof Window, least: number) => html`<label for=${key}>${name}</label>
      <input id=${key} type="range" min=${least} max=${MOST} step="1" .value=${live(String(window[key]))}
        @input=${(event: InputEvent) => this.set({ ...this.window, [key]: Number((event.target as HTMLInputElement).value) })} />`;
    return html`${slider(msg("Window (16 bits)"), "width", 1)} ${slider(msg("Level"), "level", 0)}
      <button type="button" @click=${() => this.set(fitting(picture))}>${msg("Fit the window to the picture")}</button>`;
  }
}
