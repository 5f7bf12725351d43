// What is shown, in what order: a small query language whose text is the only filter state.
//
//   s:regressed          a queue (problem regressed disagrees new known fixed rest) or a state (pass fail open unscored not_scored error)
//   metric:correctness   fails or is lost on that metric      slice:topic=law   a tag's value      flag:cached
//   review:queue         the reviewer's queue; review:decide, where people differ
//   sample:50            a random sample of all rows, the same for everyone
//   !…                   not that
//   words "two words"    in id, question or reason; in all texts once they were searched (Data.search)

export const QUEUES = ["", "problem", "regressed", "disagrees", "new", "known", "fixed", "rest"];
export const QUEUE_NAMES = {
  problem: ["Run problem", "invalid"],
  regressed: ["Regression", "fail"],
  disagrees: ["Disagreement", "unsure"],
  new: ["New failure", "fail"],
  known: ["Known failure", "fail"],
  fixed: ["Fixed", "pass"],
  rest: ["Passing", "pass"],
};
export const STATES = { p: ["pass", "pass"], f: ["fail", "fail"], u: ["unscored", "unsure"], n: ["not scored yet", "unsure"], e: ["error", "invalid"], o: ["open", "unsure"], "-": ["not applicable", "plain"] };
const WORDS = { pass: "p", fail: "f", unscored: "u", not_scored: "n", error: "e", open: "o" };

/** Tokens of a query: [{key, value, not}]. */
export function parse(query) {
  const tokens = [];
  for (const match of query.matchAll(/(!?)(?:(s|metric|slice|flag|sample|review|id):)?(?:"([^"]*)"|(\S+))/g)) {
    const value = match[3] ?? match[4];
    if (value) tokens.push({ key: match[2] ?? "text", value, not: match[1] === "!" });
  }
  return tokens;
}

/** The text of tokens. */
export function write(tokens) {
  return tokens
    .map(({ key, value, not }) => (not ? "!" : "") + (key === "text" ? "" : `${key}:`) + (/\s/.test(value) ? `"${value}"` : value))
    .join(" ");
}

/** A query with a token added, or taken out when it was there. */
export function toggle(query, key, value) {
  const tokens = parse(query);
  const without = tokens.filter((token) => token.key !== key || token.value !== value);
  if (without.length === tokens.length) without.push({ key, value, not: false });
  return write(without);
}

/** Row numbers that a query lets through. Tokens of one key are alternatives, except words and negations. */
export function filter(data, query) {
  const groups = new Map();
  const all = [];
  for (const token of parse(query)) {
    const test = TESTS[token.key](data, token.value);
    if (token.not) all.push((row) => !test(row));
    else if (token.key === "text") all.push(test);
    else groups.set(token.key, [...(groups.get(token.key) ?? []), test]);
  }
  for (const tests of groups.values()) all.push(tests.length === 1 ? tests[0] : (row) => tests.some((test) => test(row)));
  const rows = [];
  for (let row = 0; row < data.size; row++) if (all.every((test) => test(row))) rows.push(row);
  return rows;
}

const TESTS = {
  s(data, value) {
    const { queue, state } = data.columns;
    if (value in WORDS) return (row) => state[row] === WORDS[value];
    const number = QUEUES.indexOf(value);
    return (row) => queue[row] === number;
  },
  metric(data, value) {
    const at = data.meta.metrics.indexOf(value);
    return (row) => "fue".includes(data.columns.now[row][at] || "-");
  },
  slice(data, value) {
    const [tag, ...rest] = value.split("=");
    const wanted = rest.join("=");
    const fits = data.meta.combos.map((combo) => (rest.length ? combo[tag] === wanted : tag in combo));
    return (row) => fits[data.columns.tags[row]];
  },
  flag(data, value) {
    const bit = 1 << data.meta.flags.indexOf(value);
    return (row) => (data.columns.flags[row] & bit) !== 0;
  },
  id(data, value) {
    return (row) => data.columns.id[row] === value;
  },
  review(data, value) {
    if (value === "decide") return (row) => data.disputed.has(row);
    return (row) => data.queue.has(row);
  },
  sample(data, value) {
    const chosen = new Set(shuffled(data).slice(0, Number(value) || 0));
    return (row) => chosen.has(row);
  },
  text(data, value) {
    const wanted = value.toLowerCase();
    const { id, ask, why } = data.columns;
    const deep = data.deep?.get(wanted);
    return (row) => deep?.has(row) || `${id[row]}\n${ask[row]}\n${why[row]}`.toLowerCase().includes(wanted);
  },
};

/** All rows in an order that depends only on the run, so that a sample is the same for every reader. */
export function shuffled(data) {
  const rank = (row) => {
    let hash = 2166136261;
    for (const unit of `${data.meta.run}\n${data.columns.id[row]}\n${data.columns.rep[row]}`) hash = Math.imul(hash ^ unit.codePointAt(0), 16777619);
    hash ^= hash >>> 16;
    hash = Math.imul(hash, 0x85ebca6b);
    return (hash ^ (hash >>> 13)) >>> 0;
  };
  data.order ??= Array.from({ length: data.size }, (_, row) => [rank(row), row]).sort((a, b) => a[0] - b[0] || a[1] - b[1]).map((pair) => pair[1]);
  return data.order;
}

export const SORTS = {
  triage: ["Urgent first", (c) => (a, b) => c.queue[a] - c.queue[b] || c.prio[b] - c.prio[a] || a - b],
  value: ["Lowest score", (c) => (a, b) => (c.value[a] ?? -1) - (c.value[b] ?? -1) || a - b],
  slow: ["Slowest", (c) => (a, b) => (c.ms[b] ?? -1) - (c.ms[a] ?? -1) || a - b],
  long: ["Longest answer", (c) => (a, b) => c.len[b] - c.len[a] || a - b],
  id: ["Case id", (c) => (a, b) => (c.id[a] < c.id[b] ? -1 : c.id[a] > c.id[b] ? 1 : c.rep[a] - c.rep[b])],
  review: ["Review queue", (c, data) => (a, b) => (data.queue.get(a)?.at ?? Infinity) - (data.queue.get(b)?.at ?? Infinity) || a - b],
  order: ["As recorded", () => (a, b) => a - b],
};

/** Sorted rows. */
export function sort(data, rows, name) {
  return rows.sort((SORTS[name] ?? SORTS.triage)[1](data.columns, data));
}

/** Groups [{name, rows}] in the order of their first row; one nameless group when `by` is empty. */
export function group(data, rows, by) {
  if (!by) return [{ name: null, rows }];
  const name = grouping(data, by);
  const groups = new Map();
  for (const row of rows) {
    const key = name(row);
    if (groups.has(key)) groups.get(key).push(row);
    else groups.set(key, [row]);
  }
  return [...groups].map(([key, members]) => ({ name: key, rows: members }));
}

function grouping(data, by) {
  const { queue, now, tags } = data.columns;
  if (by === "queue") return (row) => QUEUE_NAMES[QUEUES[queue[row]]][0];
  if (by === "metric") {
    return (row) => {
      const at = [...now[row]].findIndex((letter) => "fue".includes(letter));
      return at < 0 ? "nothing fails" : data.meta.metrics[at];
    };
  }
  return (row) => `${by}: ${data.meta.combos[tags[row]][by] ?? "–"}`;
}
