/** dist/theme.js: a classic script for <head>, so that the reader's choice of light or dark applies before the first
 *  paint. Knows only the two attributes it sets; the toggle is in kit/theme-toggle.ts. */
(() => {
  const root = document.documentElement;
  let chosen: string | null = null;
  try {
    chosen = localStorage.getItem("waggle-theme");
  } catch (error) {
    // storage may be forbidden (private windows); the system's setting then decides
    console.debug("no stored theme", error);
  }
  if (chosen === "light" || chosen === "dark") root.dataset["theme"] = chosen;
  const dark = chosen === "dark" || (chosen !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  root.classList.add(dark ? "wa-dark" : "wa-light");
  root.classList.remove("no-js");
})();
