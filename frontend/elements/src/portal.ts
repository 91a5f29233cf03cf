/** dist/portal.js (with dist/portal.css): everything a page of the portal needs in the browser. */
import "./styles/portal.css";
import "./kit/webawesome";
import "./kit/chart";
import "./kit/parallel";
import "./kit/boxes-view";
import "./kit/text-view";
import "./kit/label-attributes";
import "./kit/money-time";
import "./kit/theme-toggle";
import "./kit/try-endpoint";
import { takeCrowdAnswers } from "./kit/crowd-answer";
import { startPage } from "./kit/page";
import { showDependentFields } from "./kit/shown-when";
import { sendFilesAhead } from "./kit/upload";

startPage();
takeCrowdAnswers();
showDependentFields();
sendFilesAhead();
