/** dist/template-editor.js: the editor of worker templates, loaded by its page only. */
import "./editor/template-editor";
