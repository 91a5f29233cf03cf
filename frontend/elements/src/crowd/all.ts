/** Every crowd element: those that show a task, the controls and containers of templates, the form around them. */
import "./bounding-box";
import "./image-classifier";
import "./keypoint";
import "./lines";
import "./moderation-labels";
import "./polygon";
import "./question-answers";
import "./segmentation";
import "./text-classifier";
import "./text-ranking";
import "./textract-document";
import "./entity-annotation";
import "./controls";
import "./crowd-form";
import { announceReady } from "./ready";

announceReady();
