/** Zoom and pan: where the picture lies on the screen. Pure: screen = picture * scale + (x, y), in CSS pixels. `room` is the size
 *  of the area in which the picture is shown. */
import { type Point, type Rect, type Size, clamp } from "./plane";

export interface View { scale: number; x: number; y: number }

export const MAX_SCALE = 32;

export const toScreen = (view: View, p: Point): Point => ({ x: p.x * view.scale + view.x, y: p.y * view.scale + view.y });
export const toPicture = (view: View, p: Point): Point => ({ x: (p.x - view.x) / view.scale, y: (p.y - view.y) / view.scale });

/** The whole picture, centred with a margin around it and enlarged at most four times. */
export function fit(picture: Size, room: Size, margin = 16): View {
  const scale = Math.min(
    Math.max(room.width - 2 * margin, 1) / picture.width, Math.max(room.height - 2 * margin, 1) / picture.height, 4,
  );
  return { scale, x: (room.width - picture.width * scale) / 2, y: (room.height - picture.height * scale) / 2 };
}

/** Limits a view so that the picture, or a part of it as wide and high as a third of the room, stays visible. */
export function held(view: View, picture: Size, room: Size): View {
  const axis = (offset: number, drawn: number, space: number): number => {
    const keep = Math.min(drawn, space / 3);
    return clamp(offset, keep - drawn, space - keep);
  };
  return {
    scale: view.scale,
    x: axis(view.x, picture.width * view.scale, room.width),
    y: axis(view.y, picture.height * view.scale, room.height),
  };
}

/** Zooms by a factor and keeps the picture's point under `at` (screen) where it is. */
export function zoomed(view: View, factor: number, at: Point, picture: Size, room: Size): View {
  const least = Math.min(fit(picture, room).scale / 2, 1);
  const scale = clamp(view.scale * factor, least, MAX_SCALE);
  const fixed = toPicture(view, at);
  return held({ scale, x: at.x - fixed.x * scale, y: at.y - fixed.y * scale }, picture, room);
}

/** The view moved to whole pixels of the hardware (`density` for each CSS pixel), so that a picture that was drawn once can be moved
 *  to any later view without being drawn again. */
export function onPixels(view: View, density: number): View {
  const snapped = (value: number): number => Math.round(value * density) / density;
  return { scale: view.scale, x: snapped(view.x), y: snapped(view.y) };
}

export function panned(view: View, dx: number, dy: number, picture: Size, room: Size): View {
  return held({ ...view, x: view.x + dx, y: view.y + dy }, picture, room);
}

/** The smallest shift of the view after which a rectangle (picture pixels) is visible with a margin. */
export function revealed(view: View, rect: Rect, picture: Size, room: Size, margin = 24): View {
  const a = toScreen(view, { x: rect.left, y: rect.top });
  const b = toScreen(view, { x: rect.left + rect.width, y: rect.top + rect.height });
  const shift = (low: number, high: number, space: number): number => {
    if (high - low > space - 2 * margin) return high < margin || low > space - margin ? space / 2 - (low + high) / 2 : 0;
    if (low < margin) return margin - low;
    if (high > space - margin) return space - margin - high;
    return 0;
  };
  return held({ ...view, x: view.x + shift(a.x, b.x, room.width), y: view.y + shift(a.y, b.y, room.height) }, picture, room);
}
