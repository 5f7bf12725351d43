// What the application did for an answer: the steps of its trace, or a link to them.

import { h, number, shape } from "./dom.js";
import { visible } from "./hidden.js";
import { tree } from "./tree.js";

/** @import { Trace, TraceStep } from "./types.js" */

/** Attributes that say most about a step, shown in its line. */
const TELLING = [
  "gen_ai.tool.name",
  "gen_ai.response.model",
  "gen_ai.request.model",
  "http.response.status_code",
];

/**
 * The steps of a trace, folded if there are many of them; null without one.
 *
 * @param {Trace | null | undefined} trace
 * @param {number} most Steps that are shown at once.
 */
export function traceSection(trace, most = 30) {
  if (!trace || !(trace.url || trace.steps?.length)) return null;
  const steps = trace.steps ?? [];
  const total = Math.max(1e-9, ...steps.map((step) => (step.start_ms ?? 0) + duration(step)));
  const left = trace.left_out ?? 0;
  return h(
    "details",
    { class: "about trace", open: steps.length <= most },
    h("summary", {}, "Trace", h("span", { class: "quiet" }, traceSize(steps))),
    trace.url ? h("p", {}, traceLink(trace.url)) : null,
    steps.length
      ? h(
          "ol",
          { class: "steps" },
          steps.map((step) => stepItem(step, total)),
        )
      : null,
    left ? h("p", { class: "quiet small" }, `${number(left)} more steps are not recorded.`) : null,
  );
}

/** @param {TraceStep[]} steps */
function traceSize(steps) {
  if (!steps.length) return "";
  return ` ${number(steps.length)} ${steps.length === 1 ? "step" : "steps"}`;
}

/** @param {TraceStep} step */
function duration({ duration_ms: ms }) {
  return ms ?? 0;
}

/**
 * The address of the trace. Only an address of the web becomes a link.
 *
 * @param {string} url
 */
function traceLink(url) {
  if (!/^https?:\/\//i.test(url)) return h("code", {}, visible(url));
  return h("a", { href: url, rel: "noopener noreferrer", target: "_blank" }, visible(url));
}

/**
 * @param {TraceStep} step
 * @param {number} total Milliseconds of the whole trace.
 */
function stepItem(step, total) {
  const attributes = step.attributes ?? {};
  const named = TELLING.map((name) => attributes[name]).find((value) => value != null);
  const known = named != null && !step.name.includes(String(named));
  const line = [
    h("span", { class: "step-name" }, visible(step.name)),
    known ? h("span", { class: "quiet" }, visible(String(named))) : null,
    step.error ? h("span", { class: "problem" }, shape("fail"), " ", visible(step.error)) : null,
    h("span", { class: "lane", "aria-hidden": "true" }, stepBar(step, total)),
    h("span", { class: "num quiet" }, `${milliseconds(duration(step))} ms`),
  ];
  const item = h(
    "li",
    { class: step.error ? "step wrong" : "step" },
    Object.keys(attributes).length
      ? h("details", {}, h("summary", { class: "step-line" }, line), tree(attributes))
      : h("div", { class: "step-line" }, line),
  );
  item.style.setProperty("--depth", String(Math.min(step.depth ?? 0, 12)));
  return item;
}

/**
 * @param {TraceStep} step
 * @param {number} total
 */
function stepBar(step, total) {
  const bar = h("span", { class: "step-bar" });
  const start = ((step.start_ms ?? 0) / total) * 100;
  bar.style.setProperty("margin-left", `${Math.min(start, 99)}%`);
  bar.style.setProperty("width", `${Math.max(1, (duration(step) / total) * 100)}%`);
  return bar;
}

/** @param {number} ms */
function milliseconds(ms) {
  return ms >= 10 ? number(Math.round(ms)) : ms.toFixed(1);
}
