// A conversation: each message of the user, what the application did, and its reply.

import { diff } from "./diff.js";
import { h, number, shape } from "./dom.js";
import { visible } from "./hidden.js";
import { textBlock } from "./text.js";
import { callList } from "./tool_calls.js";
import { traceSection } from "./trace_steps.js";
import { tree } from "./tree.js";

/** @import { Answer, CaseView, Mark, RecordedError, Turn } from "./types.js" */
/** @typedef {{ answer: Answer, marks: Mark[], problems: string[], failed: (error: RecordedError) => Node, lang: string | null, id?: string }} ConversationSide */

/** @type {Record<string, string>} */
const ENDINGS = {
  until: "`until` became true",
  max_turns: "`max_turns` was reached",
  user: "the simulated user ended it",
  empty: "the reply was empty",
};

/**
 * The turns of one side as a list, and how the conversation ended.
 *
 * @param {ConversationSide} side `marks` are in its last reply.
 * @param {Turn[] | null} other The turns of the other side, to mark what differs.
 * @param {"ins" | "del"} kind What a difference is on this side.
 * @param {CaseView} view
 */
export function conversation(side, other, kind, view) {
  const turns = side.answer.turns ?? [];
  let first = 0;
  const items = turns.map((turn, i) => {
    const calls = turn.tool_calls ?? [];
    const problems = side.problems.slice(first, first + calls.length);
    first += calls.length;
    const changes = view.diff && other?.[i] ? turnChanges(turn, other[i], kind) : [];
    const last = i + 1 === turns.length;
    return turnItem(turn, i, side, last ? [...changes, ...side.marks] : changes, problems, last);
  });
  return h(
    "div",
    { class: "conversation" },
    h("ol", { class: "turns" }, items),
    ending(side.answer),
  );
}

/** @param {Answer} answer */
function ending({ ended, user }) {
  const how = ENDINGS[ended ?? ""];
  const left = user?.kept_goal === false;
  return [
    how ? h("p", { class: "quiet small ending" }, `The conversation ended: ${how}.`) : null,
    left
      ? h(
          "p",
          { class: "warn" },
          shape("invalid"),
          h("span", {}, "The simulated user left its goal. ", visible(user.reason ?? "")),
        )
      : null,
  ];
}

/**
 * @param {Turn} turn
 * @param {Turn} other
 * @param {"ins" | "del"} kind
 */
function turnChanges(turn, other, kind) {
  const [mine, theirs] = [turn.output ?? "", other.output ?? ""];
  const changes = kind === "ins" ? diff(theirs, mine) : diff(mine, theirs);
  if (!changes || changes.unlike) return [];
  return kind === "ins" ? changes.after : changes.before;
}

/**
 * @param {Turn} turn
 * @param {number} i
 * @param {ConversationSide} side
 * @param {Mark[]} marks
 * @param {string[]} problems
 * @param {boolean} last
 */
function turnItem(turn, i, side, marks, problems, last) {
  const { lang } = side;
  const data = turn.data && Object.keys(turn.data).length && !last ? turn.data : null;
  const reply = turn.error
    ? side.failed(turn.error)
    : textBlock(turn.output ?? "", marks, { lang, id: last ? side.id : null });
  return h(
    "li",
    { class: "turn" },
    h("p", { class: "turn-head" }, `Turn ${i + 1}`, turnNote(turn)),
    h("div", { class: "message user" }, h("h4", {}, "User"), textBlock(turn.user, [], { lang })),
    callList(turn.tool_calls ?? [], problems),
    h("div", { class: "message reply" }, h("h4", {}, "Reply"), reply),
    data ? h("details", {}, h("summary", {}, "Data of this turn"), tree(data)) : null,
    traceSection(turn.trace, 0),
  );
}

/** @param {Turn} turn */
function turnNote({ latency_ms: latency, usage }) {
  const notes = [];
  if (latency != null) notes.push(`${number(Math.round(latency))} ms`);
  const tokens = (usage?.input_tokens ?? 0) + (usage?.output_tokens ?? 0);
  if (tokens) notes.push(`${number(tokens)} tokens`);
  return notes.length ? h("span", { class: "quiet" }, ` · ${visible(notes.join(" · "))}`) : null;
}
