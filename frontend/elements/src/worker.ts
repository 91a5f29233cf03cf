/** dist/worker.js: the crowd elements and the worker's page around them. */
import "./crowd/bounding-box";
import "./crowd/image-classifier";
import "./crowd/crowd-form";
import { announceReady } from "./crowd/ready";
import "./shell/safe-html";
import "./shell/task-shell";

announceReady();
