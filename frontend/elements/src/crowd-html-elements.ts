/** dist/crowd-html-elements.js: what the page of a worker template loads, in one classic script, as Ground Truth's is. */
import "./template/page";
import "./crowd";
