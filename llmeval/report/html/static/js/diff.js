// Two texts compared word by word (Myers, "An O(ND) difference algorithm and its variations", 1986).

/** @import { Mark } from "./types.js" */
/** @typedef {[number, number]} Pair Positions of an equal word in both texts. */

/** What counts as a word: a single sign in scripts that put no spaces between words. */
const PIECES =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]|[\p{L}\p{N}\p{M}_]+|\s+|[^\s]/gu;

/** Longer or less similar texts are not compared: the page would stop for seconds. */
const MOST_WORDS = 6000;
const MOST_EDITS = 1500;

/**
 * What differs, as marks in each of the texts; null when they are too long or too different.
 *
 * @param {string} before
 * @param {string} after
 * @returns {{ before: Mark[], after: Mark[], unlike?: boolean } | null}
 */
export function diff(before, after) {
  if (before === after) return { before: [], after: [] };
  const a = before.match(PIECES) ?? [];
  const b = after.match(PIECES) ?? [];
  if (a.length > MOST_WORDS || b.length > MOST_WORDS) return null;
  const pairs = equalWords(a, b);
  if (pairs === null) return null;
  // Half of the pieces are spaces. With fewer than one word in five in common, marks would cover
  // nearly everything and say nothing.
  const shared = pairs.filter(([i]) => /\S/.test(a[i])).length;
  if (shared * 5 < Math.min(a.length, b.length) / 2) return { before: [], after: [], unlike: true };
  const keptBefore = new Uint8Array(a.length);
  const keptAfter = new Uint8Array(b.length);
  for (const [i, j] of pairs) {
    keptBefore[i] = 1;
    keptAfter[j] = 1;
  }
  return { before: changes(a, keptBefore, "del"), after: changes(b, keptAfter, "ins") };
}

/**
 * @param {string[]} words
 * @param {Uint8Array} kept
 * @param {string} kind
 */
function changes(words, kept, kind) {
  /** @type {Mark[]} */
  const marks = [];
  let at = 0;
  words.forEach((word, i) => {
    // A space between two changed words belongs to the change: one mark reads better than two.
    const between = kept[i] && /^\s+$/.test(word) && kept[i - 1] === 0 && kept[i + 1] === 0;
    if (!kept[i] || between) {
      const last = marks.at(-1);
      if (last && last.end === at) last.end = at + word.length;
      else marks.push({ start: at, end: at + word.length, class: kind });
    }
    at += word.length;
  });
  return marks;
}

/**
 * Pairs of equal words in order; null past MOST_EDITS. Equal beginnings and ends are taken first.
 *
 * @param {string[]} a
 * @param {string[]} b
 */
function equalWords(a, b) {
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  let tail = 0;
  const most = Math.min(a.length, b.length) - head;
  while (tail < most && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
  const middle = shortestEdit(a.slice(head, a.length - tail), b.slice(head, b.length - tail));
  if (middle === null) return null;
  /** @type {Pair[]} */
  const pairs = Array.from({ length: head }, (_, i) => [i, i]);
  for (const [i, j] of middle) pairs.push([head + i, head + j]);
  for (let i = tail; i > 0; i--) pairs.push([a.length - i, b.length - i]);
  return pairs;
}

/**
 * Myers' greedy search: `furthest` holds, for each diagonal k = x - y, the largest x that d edits
 * reach.
 *
 * @param {string[]} a
 * @param {string[]} b
 */
function shortestEdit(a, b) {
  const most = Math.min(a.length + b.length, MOST_EDITS);
  const furthest = new Int32Array(2 * most + 3);
  const middle = most + 1;
  /** @type {Int32Array[]} */
  const trace = [];
  for (let d = 0; d <= most; d++) {
    trace.push(furthest.slice(middle - d - 1, middle + d + 2));
    for (let k = -d; k <= d; k += 2) {
      const [left, right] = [furthest[middle + k - 1], furthest[middle + k + 1]];
      const down = k === -d || (k !== d && left < right);
      let x = down ? right : left + 1;
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x++;
      furthest[middle + k] = x;
      if (x >= a.length && x - k >= b.length) return backtrack(trace, d, a.length, b.length);
    }
  }
  return null;
}

/**
 * The pairs on the way back from the end, by what each number of edits had reached.
 *
 * @param {Int32Array[]} trace
 * @param {number} edits
 * @param {number} x
 * @param {number} y
 */
function backtrack(trace, edits, x, y) {
  /** @type {Pair[]} */
  const pairs = [];
  for (let d = edits; d > 0; d--) {
    const row = trace[d];
    const k = x - y;
    const [left, right] = [row[k + d], row[k + d + 2]];
    const down = k === -d || (k !== d && left < right);
    const from = down ? k + 1 : k - 1;
    const fromX = down ? right : left;
    const startX = down ? fromX : fromX + 1;
    while (x > startX) pairs.push([--x, --y]);
    x = fromX;
    y = fromX - from;
  }
  while (x > 0) pairs.push([--x, --y]);
  return pairs.reverse();
}
