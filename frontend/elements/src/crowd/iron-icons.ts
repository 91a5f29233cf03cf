/** The icons that templates name: iron-icons, Polymer's set, in Lucide's drawings. Names outside of the list get a plain dot. */
import { unsafeSVG } from "lit/directives/unsafe-svg.js";
import { html } from "lit";

const drawings = import.meta.glob<string>([
  "/node_modules/lucide-static/icons/{archive,arrow-down,arrow-left,arrow-right,arrow-up,bookmark,calendar,camera,check,chevron-down,chevron-left,chevron-right,chevron-up,circle,circle-alert,circle-check,circle-minus,circle-plus,circle-question-mark,circle-x,clipboard,clock,copy,dot,download,ellipsis-vertical,external-link,eye,eye-off,file,file-text,flag,folder,globe,heart,house,image,info,link,list,lock,mail,map-pin,menu,message-square,minus,pause,pencil,phone,play,plus,redo-2,refresh-cw,save,scissors,search,send,settings,share-2,shopping-cart,square,square-check,square-plus,star,tag,thumbs-down,thumbs-up,trash-2,triangle-alert,undo-2,upload,user,volume-2,x,zap,zoom-in,zoom-out}.svg",
], { query: "?raw", import: "default", eager: true });

/** Iron's name -> Lucide's, where they differ. */
export const NAMES: Record<string, string> = {
  add: "plus", "add-box": "square-plus", "add-circle": "circle-plus", "add-circle-outline": "circle-plus", remove: "minus", "remove-circle": "circle-minus",
  "remove-circle-outline": "circle-minus", clear: "x", close: "x", cancel: "circle-x", done: "check", "check-circle": "circle-check",
  "check-box": "square-check", "check-box-outline-blank": "square", "radio-button-unchecked": "circle", help: "circle-question-mark",
  "help-outline": "circle-question-mark", "info-outline": "info", warning: "triangle-alert", error: "circle-alert", "error-outline": "circle-alert",
  "arrow-back": "arrow-left", "arrow-forward": "arrow-right", "arrow-upward": "arrow-up", "arrow-downward": "arrow-down",
  "arrow-drop-down": "chevron-down", "arrow-drop-up": "chevron-up", "expand-more": "chevron-down", "expand-less": "chevron-up",
  "more-vert": "ellipsis-vertical", delete: "trash-2", create: "pencil", edit: "pencil", "content-copy": "copy", "content-cut": "scissors",
  "content-paste": "clipboard", undo: "undo-2", redo: "redo-2", refresh: "refresh-cw", autorenew: "refresh-cw", home: "house", favorite: "heart",
  "favorite-border": "heart", grade: "star", "star-border": "star", "thumb-up": "thumbs-up", "thumb-down": "thumbs-down", "file-download": "download",
  "file-upload": "upload", "cloud-download": "download", "cloud-upload": "upload", "get-app": "download", "open-in-new": "external-link", launch: "external-link",
  visibility: "eye", "visibility-off": "eye-off", schedule: "clock", "access-time": "clock", today: "calendar", event: "calendar", account: "user",
  "account-circle": "user", face: "user", perm: "user", language: "globe", https: "lock", "lock-outline": "lock", label: "tag", "label-outline": "tag",
  description: "file-text", "insert-drive-file": "file", "photo-camera": "camera", photo: "image", room: "map-pin", place: "map-pin", email: "mail",
  chat: "message-square", "question-answer": "message-square", announcement: "message-square", reply: "undo-2", share: "share-2", "shopping-basket": "shopping-cart",
  "play-arrow": "play", "play-circle-filled": "play", stop: "square", "volume-up": "volume-2", print: "file", "view-list": "list", reorder: "menu",
  indeterminate: "minus", "flash-on": "zap", "call": "phone", "bookmark-border": "bookmark",
};

/** The drawing of an icon as the text of an SVG: ours, built in, never a template's. `av:play-arrow` and `play-arrow` are the same. */
export function glyphOf(name: string): string {
  const plain = name.slice(name.lastIndexOf(":") + 1);
  const drawing = (one: string) => drawings[`/node_modules/lucide-static/icons/${one}.svg`];
  return drawing(NAMES[plain] ?? plain) ?? drawing("dot")!;
}

/** An icon as decoration: hidden from assistive technology. */
export const ironIcon = (name: string) => html`<span class="icon" aria-hidden="true">${unsafeSVG(glyphOf(name))}</span>`;
