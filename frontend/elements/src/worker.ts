/** dist/worker.js: the crowd elements and the worker's page around them. */
import "./crowd/all";
import "./crowd/template-frame";
import "./shell/safe-html";
import "./shell/task-shell";
