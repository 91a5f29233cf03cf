/** dist/worker.js: the crowd elements and the worker's page around them. */
import "./crowd/bounding-box";
import "./crowd/image-classifier";
import "./crowd/crowd-form";
import "./crowd/template-frame";
import "./shell/safe-html";
import "./shell/task-shell";

// Ground Truth's templates wait for this event before they touch an element
const ready = () => document.dispatchEvent(new CustomEvent("all-crowd-elements-ready"));
if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", ready);
else ready();
