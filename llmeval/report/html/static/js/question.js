// What the candidate was asked, and what the case says about the right answer.

import { h, number } from "./dom.js";
import { visible } from "./hidden.js";
import { textBlock } from "./text.js";
import { callList } from "./tool_calls.js";
import { plainText, tree } from "./tree.js";

/** @import { Case, Json } from "./types.js" */

/** Fields in this order first. */
const FIRST_FIELDS = ["question", "input", "prompt", "query", "instruction", "text"];
/** Fields that have a place of their own. */
const OTHER_FIELDS = ["reference", "references", "context"];
/** Longer texts can be folded; of these, those past the second length are folded at first. */
const FOLDABLE = 1500;
const FOLDED = 600;
/** Characters of a value of several parts that are shown on one line. */
const ONE_LINE = 80;
/** Images that a page shows: in place, never loaded, and never SVG. */
const IMAGE = /^data:image\/(?:png|jpeg|gif|webp);base64,/;
const LANGUAGE = /^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$/;

/**
 * @param {Case} item
 * @param {string | null} lang
 * @param {string[]} said The messages of the user in a conversation, which shows them itself.
 */
export function question(item, lang, said) {
  const parts = inputs(item, lang, said);
  const expected = expectations(item, lang);
  if (said.length && !parts.length && !expected.length && !item.context) return null;
  return h(
    "section",
    { class: "asked" },
    h("h3", {}, "Input"),
    said.length && !parts.length ? expected : sideBySide(parts, expected),
    item.context ? folded("context", item.context, lang) : null,
  );
}

/**
 * @param {HTMLElement[]} parts
 * @param {HTMLElement[]} expected
 */
function sideBySide(parts, expected) {
  if (!parts.length)
    return h("p", { class: "quiet" }, "The run directory does not hold this case's text.");
  if (!expected.length) return parts;
  return h("div", { class: "sides" }, h("div", {}, parts), h("div", {}, expected));
}

/**
 * @param {Case} item
 * @param {string | null} lang
 * @param {string[]} said
 */
function inputs(item, lang, said) {
  if (item.messages?.length) {
    return item.messages.map((message) => {
      const shown = block(message.role, message.content, lang);
      for (const part of message.parts ?? []) {
        if (part.image && IMAGE.test(part.image)) shown.append(thumbnail(part.image, part.name));
      }
      return shown;
    });
  }
  const shown = said.length ? JSON.stringify(said) : "";
  const fields = ownFields(item).filter(
    ([, value]) => !isRecord(value) && JSON.stringify(value) !== shown,
  );
  fields.sort(([a], [b]) => rank(a) - rank(b));
  return fields.map(([name, value]) => block(name, fieldText(value), lang));
}

/**
 * @param {string} url
 * @param {string | undefined} name
 */
function thumbnail(url, name) {
  return h("img", { class: "thumbnail", src: url, alt: `image ${visible(name ?? "")}` });
}

/** @param {Case} item */
function ownFields(item) {
  return Object.entries(item.fields ?? {}).filter(([name]) => !OTHER_FIELDS.includes(name));
}

/**
 * An object, or a list of objects: nearly always what a check wants, so it stands next to the input.
 *
 * @param {Json} value
 */
function isRecord(value) {
  const first = Array.isArray(value) ? value[0] : value;
  return first !== null && typeof first === "object" && !Array.isArray(first);
}

/**
 * Whether a value is a list of tool calls.
 *
 * @param {Json} value
 */
function isCalls(value) {
  const list = Array.isArray(value) ? /** @type {any[]} */ (value) : [];
  return (
    list.length > 0 && list.every((item) => typeof item?.name === "string" && "arguments" in item)
  );
}

/**
 * A text as it is, a short value on one line, a long one with a line for each entry.
 *
 * @param {Json} value
 */
function fieldText(value) {
  const short = typeof value === "string" ? value : JSON.stringify(value);
  return short.length <= ONE_LINE ? short : plainText(value);
}

/** @param {string} name */
function rank(name) {
  const at = FIRST_FIELDS.indexOf(name);
  return at < 0 ? FIRST_FIELDS.length : at;
}

/**
 * @param {Case} item
 * @param {string | null} lang
 */
function expectations(item, lang) {
  /** @type {HTMLElement[]} */
  const parts = [];
  const references = item.references ?? [];
  if (references.length) {
    const title = references.length > 1 ? "expected answers (any of these)" : "expected answer";
    const texts = references.map((text) => textBlock(text, [], { lang }));
    parts.push(h("div", { class: "block reference" }, h("h4", {}, title), texts));
  }
  if (item.facts?.length) {
    const summary = h("summary", {}, h("h4", {}, "expected facts"));
    const open = !references.length;
    parts.push(h("details", { class: "block", open }, summary, tree(item.facts)));
  }
  for (const [name, value] of item.messages?.length ? [] : ownFields(item)) {
    if (!isRecord(value)) continue;
    const folds = JSON.stringify(value).length > FOLDABLE;
    const summary = h("summary", {}, h("h4", {}, visible(name)));
    const box = isCalls(value)
      ? callList(/** @type {any} */ (value))
      : h("div", { class: "text" }, tree(value));
    parts.push(h("details", { class: "block", open: !folds }, summary, box));
  }
  return parts;
}

/**
 * @param {string} name
 * @param {string} text
 * @param {string | null} lang
 */
function block(name, text, lang) {
  if (text.length > FOLDABLE) return folded(name, text, lang);
  return h("div", { class: "block" }, h("h4", {}, visible(name)), textBlock(text, [], { lang }));
}

/**
 * @param {string} name
 * @param {string} text
 * @param {string | null} lang
 */
function folded(name, text, lang) {
  const size = h("span", { class: "quiet" }, ` ${number(text.length)} characters`);
  return h(
    "details",
    { class: "block", open: text.length <= FOLDED },
    h("summary", {}, h("h4", {}, visible(name)), size),
    textBlock(text, [], { lang }),
  );
}

/**
 * The language of a case as its tags or fields name it, for hyphens, fonts and screen readers.
 *
 * @param {Case} item
 */
export function language(item) {
  const { tags, fields } = item;
  const names = [tags?.lang, tags?.language, fields?.lang, fields?.language];
  const name = names.find((value) => typeof value === "string" && LANGUAGE.test(value));
  return typeof name === "string" ? name : null;
}
