/** Colours for labels: the first eight are Okabe-Ito's (colour-blind readers can tell them apart), the rest step around
 *  the hue circle by the golden angle at alternating lightness. Pure. Colour is never the only cue: the label's name is always shown too. */

const OKABE_ITO = ["#ffb000", "#56b4e9", "#00c48c", "#f0568c", "#ff7043", "#b39dff", "#f0e442", "#29b6c9"];

/** The colour of the label at this place in the list (place >= 0), as #rrggbb. */
export function labelColour(place: number): string {
  const fixed = OKABE_ITO[place];
  if (fixed) return fixed;
  const hue = (place * 137.508) % 360;
  return hslToHex(hue, 0.75, place % 2 === 0 ? 0.62 : 0.74);
}

function hslToHex(hue: number, saturation: number, lightness: number): string {
  const reach = saturation * Math.min(lightness, 1 - lightness);
  const part = (n: number): string => {
    const k = (n + hue / 30) % 12;
    const value = lightness - reach * Math.max(-1, Math.min(k - 3, 9 - k, 1));
    return Math.round(value * 255).toString(16).padStart(2, "0");
  };
  return `#${part(0)}${part(8)}${part(4)}`;
}

/** Whether white text is easier to read on this #rrggbb colour than black text: by the contrast ratio of WCAG 2.2. Other forms of
 *  colours count as light. */
export function isDark(colour: string): boolean {
  const parts = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(colour)?.slice(1).map((part) => parseInt(part, 16) / 255);
  if (!parts) return false;
  const [red, green, blue] = parts.map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)) as [number, number, number];
  const luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  return 1.05 / (luminance + 0.05) > (luminance + 0.05) / 0.05;
}

/** A requester's own colour where it is a plain #rgb or #rrggbb, else the one of its place. */
export function safeColour(given: string | undefined, place: number): string {
  return given && /^#([0-9a-f]{3}|[0-9a-f]{6})$/i.test(given) ? given : labelColour(place);
}
