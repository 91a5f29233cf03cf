/** dist/crowd-html-elements.js: what the page of a worker template loads, in one classic script, as Ground Truth's is. */
import "./template/page";
import "./crowd/bounding-box";
import "./crowd/image-classifier";
import "./crowd/crowd-form";

// Ground Truth's templates wait for this event before they touch an element
const ready = () => document.dispatchEvent(new CustomEvent("all-crowd-elements-ready"));
if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", ready);
else ready();
