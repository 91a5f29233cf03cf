/** dist/crowd.js: the crowd elements alone, for pages that show a template. Their code is in a chunk, so that this file may be loaded
 *  twice, or under several names, and still runs it once. */
import "./crowd/all";
