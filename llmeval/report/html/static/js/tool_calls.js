// The tools that the application called: arguments, results, and what a check says about each call.

import { h, shape, status } from "./dom.js";
import { visible } from "./hidden.js";
import { textBlock } from "./text.js";
import { plainText, tree } from "./tree.js";

/** @import { Json, Score, ToolCall } from "./types.js" */

/** Longer values are shown below the call, and folded. */
const INLINE = 90;
/** Calls that are listed at once. */
const MOST_CALLS = 200;

/**
 * What the check `tool_calls` says about each call, in order, and the calls that are missing.
 *
 * @param {Score[]} scores Those that are not hidden.
 */
export function callProblems(scores) {
  /** @type {string[]} */
  let problems = [];
  /** @type {ToolCall[]} */
  const missing = [];
  for (const { details, status: word } of scores) {
    if (word !== "fail" || !Array.isArray(details?.calls)) continue;
    const texts = details.calls.map((text) => String(text ?? ""));
    problems = texts.map((text, i) => text || problems[i] || "");
    if (Array.isArray(details.missing)) {
      missing.push(.../** @type {any[]} */ (details.missing).filter((call) => call?.name));
    }
  }
  return { problems, missing };
}

/**
 * Calls as a list; null without one.
 *
 * @param {ToolCall[]} calls
 * @param {string[]} problems By the number of the call; empty where nothing is wrong.
 */
export function callList(calls, problems = []) {
  if (!calls.length) return null;
  const items = calls.slice(0, MOST_CALLS).map((call, i) => callItem(call, problems[i] ?? ""));
  const more = calls.length - MOST_CALLS;
  return [
    h("ol", { class: "calls", "aria-label": "Tool calls" }, items),
    more > 0 ? h("p", { class: "quiet small" }, `${more} more calls`) : null,
  ];
}

/**
 * The calls that a check wanted and that are missing; null without one.
 *
 * @param {ToolCall[]} calls
 */
export function missingCalls(calls) {
  if (!calls.length) return null;
  return h(
    "ul",
    { class: "calls", "aria-label": "Missing calls" },
    calls.map((call) =>
      h("li", { class: "call wrong" }, callLine(call), " ", status("fail", "missing")),
    ),
  );
}

/**
 * The calls of an answer without turns, as a section of the case.
 *
 * @param {ToolCall[]} calls
 * @param {{ problems: string[], missing: ToolCall[] }} wrong
 * @param {string | null} note
 */
export function callSection(calls, { problems, missing }, note = null) {
  if (!calls.length && !missing.length) return null;
  return h(
    "section",
    { class: "called" },
    h("h3", {}, "Tool calls"),
    note ? h("p", { class: "quiet small" }, note) : null,
    callList(calls, problems),
    missingCalls(missing),
  );
}

/**
 * @param {ToolCall} call
 * @param {string} problem
 */
function callItem(call, problem) {
  return h(
    "li",
    { class: problem ? "call wrong" : "call" },
    callLine(call),
    problem ? h("p", { class: "problem" }, shape("fail"), " ", visible(problem)) : null,
    call.result === undefined || call.result === null ? null : callResult(call.result),
  );
}

/** @param {ToolCall} call */
function callLine(call) {
  const values = argumentsOf(call);
  const name = h("strong", {}, visible(String(call.name)));
  if (values === null) return h("p", { class: "signature" }, name, "()");
  if (typeof values !== "object" || Array.isArray(values)) {
    return h("p", { class: "signature" }, name, "(", visible(plainText(values)), ")");
  }
  const pairs = Object.entries(values);
  if (pairs.every(([, value]) => JSON.stringify(value).length <= INLINE)) {
    const parts = pairs.map(([key, value], i) => [
      i ? ", " : "",
      h("span", { class: "key" }, visible(key)),
      "=",
      h("span", { class: "value" }, visible(JSON.stringify(value))),
    ]);
    return h("p", { class: "signature" }, name, "(", ...parts, ")");
  }
  return h("div", { class: "signature" }, name, tree(values));
}

/**
 * The arguments of a call; a JSON text is read.
 *
 * @param {ToolCall} call
 * @returns {Json}
 */
function argumentsOf(call) {
  const value = call.arguments ?? null;
  if (typeof value !== "string") return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

/** @param {Json} result */
function callResult(result) {
  const text = typeof result === "string" ? result : JSON.stringify(result);
  const arrow = h("span", { class: "sr" }, "returned ");
  if (text.length <= 2 * INLINE && !text.includes("\n")) {
    return h("p", { class: "result" }, arrow, visible(text));
  }
  const body =
    typeof result === "string" ? textBlock(text, [], { class: "text mono" }) : tree(result);
  return h("details", { class: "result" }, h("summary", {}, "Result"), body);
}
