// Hidden characters by name. visible.py holds the same table; a test compares the two.

import { h } from "./dom.js";

const HIDDEN = new RegExp(
  "[\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f-\\u009f\\u00ad\\u061c\\u115f\\u1160" +
    "\\u17b4\\u17b5\\u180e\\u200b\\u200e\\u200f\\u2028-\\u202e\\u2060-\\u206f\\u3164\\ufeff" +
    "\\uffa0\\ufff9-\\ufffb\\u{e0000}-\\u{e0fff}]" +
    // A carriage return alone can overwrite a line; joiners are hidden only after ASCII, as other
    // scripts and emoji need them.
    "|\\r(?!\\n)|(?<=[\\u0000-\\u007f])[\\u200c\\u200d]",
  "gu",
);

/** @type {Record<number, string>} */
const NAMES = {
  0: "null character",
  7: "bell",
  8: "backspace",
  27: "escape (terminal codes)",
  173: "soft hyphen",
  8203: "zero width space",
  8234: "left-to-right embedding",
  8235: "right-to-left embedding",
  8236: "pop directional formatting",
  8237: "left-to-right override",
  8238: "right-to-left override",
  8294: "left-to-right isolate",
  8295: "right-to-left isolate",
  8296: "first strong isolate",
  8297: "pop directional isolate",
  65279: "byte order mark",
};

/** The ASCII control characters in order. */
const CONTROLS =
  "NUL SOH STX ETX EOT ENQ ACK BEL BS HT LF VT FF CR SO SI DLE DC1 DC2 DC3 DC4 NAK SYN ETB CAN EM SUB ESC FS GS RS US".split(
    " ",
  );

/** Unicode's tag characters begin here: they carry text that nobody sees. */
const TAGS = 0xe0000;

/**
 * The text with hidden characters replaced by visible signs; for attributes and single lines.
 *
 * @param {string} text
 */
export function visible(text) {
  return text.replace(HIDDEN, (character) => sign(codePoint(character)));
}

/**
 * Append a text to a node, with each hidden character in an element of its own.
 *
 * @param {Element} node
 * @param {string} text
 * @param {string} previous The character before `text`, where `text` is a part of a longer one: it
 *   decides whether a joiner at the beginning is hidden.
 */
export function appendText(node, text, previous) {
  let last = 0;
  for (const match of (previous + text).matchAll(HIDDEN)) {
    const at = match.index - previous.length;
    if (at < 0) continue;
    const code = codePoint(match[0]);
    if (at > last) node.append(text.slice(last, at));
    const name = NAMES[code] ?? (code >= TAGS ? "invisible tag character" : "hidden character");
    node.append(h("span", { class: "hid", title: `${name} ${hex(code)}` }, sign(code)));
    last = at + match[0].length;
  }
  if (last < text.length) node.append(text.slice(last));
}

/** @param {string} character */
function codePoint(character) {
  return /** @type {number} */ (character.codePointAt(0));
}

/** @param {number} code */
function hex(code) {
  return `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
}

/** @param {number} code */
function sign(code) {
  if (code < 0x20) return `⟨${CONTROLS[code]}⟩`;
  return code === 0x7f ? "⟨DEL⟩" : `⟨${hex(code)}⟩`;
}
