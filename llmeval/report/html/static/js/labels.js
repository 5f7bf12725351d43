// The reader's verdicts. In a file: kept in this browser, saved as JSONL. From a review server: kept
// there.

import { memory } from "./memory.js";
import { newId } from "./widgets.js";

/** @import { Answer, Label, Score, Verdict } from "./types.js" */
/** @typedef {import("./server.js").Server} Server */

/**
 * How a verdict came about.
 *
 * @typedef {object} Circumstances
 * @property {string} comment
 * @property {boolean} blind Whether the judge's verdict was hidden.
 * @property {string} sampling How the answer came before the reader.
 * @property {number | null} probability With which it was drawn, for random samples.
 * @property {boolean} adjudication Whether it settles what reviewers differ on.
 */

/**
 * A verdict of this visit, and the one that it replaced.
 *
 * @typedef {{ answer: Answer, score: Score, before: Label | null, adjudication: boolean }} Change
 */

/** Labels of one run. */
export class Labels {
  /**
   * @param {string} run
   * @param {Server | null} server Where labels go; null in a file.
   */
  constructor(run, server = null) {
    this.key = `labels.${run}`;
    this.run = run;
    this.server = server;
    /**
     * This visit's verdicts, for undo.
     * @type {Change[]}
     */
    this.changes = [];
    /** @type {Label[]} */
    this.kept = server ? [] : stored(this.key);
    this.storedName = memory.get("reviewer") ?? "";
  }

  get records() {
    return this.server?.state.labels ?? this.kept;
  }

  get reviewer() {
    return this.server?.state.reviewer ?? this.storedName;
  }

  /**
   * The reader's last label on a score; null when there is none, or it was withdrawn. A verdict
   * that settles a dispute is apart from the reader's vote as a reviewer.
   *
   * @param {string} caseId
   * @param {number} repeat
   * @param {string} metric
   * @param {boolean | null} adjudication Which of the two; null: a decision before a vote.
   */
  of(caseId, repeat, metric, adjudication = null) {
    const last = this.records.findLast(
      (label) =>
        isAbout(label, caseId, repeat, metric) &&
        (adjudication === null || label.adjudication === adjudication),
    );
    return last && last.human_verdict !== "withdrawn" ? last : null;
  }

  /**
   * The reader's label on a score.
   *
   * @param {Score} score
   */
  ofScore(score) {
    return this.of(score.case_id, score.repeat ?? 0, score.metric);
  }

  /**
   * Other people's labels. The server sends them only after the reader's own verdict.
   *
   * @param {string} caseId
   * @param {number} repeat
   * @param {string} metric
   */
  others(caseId, repeat, metric) {
    const others = this.server?.state.others ?? [];
    return others.filter((label) => isAbout(label, caseId, repeat, metric));
  }

  /**
   * Labels that differ on a score, while nobody has decided; null when there are none.
   *
   * @param {string} caseId
   * @param {number} repeat
   * @param {string} metric
   */
  conflict(caseId, repeat, metric) {
    const conflicts = this.server?.state.conflicts ?? [];
    return conflicts.find((each) => isAbout(each, caseId, repeat, metric))?.labels ?? null;
  }

  /**
   * Record a verdict. Records never change: a correction is a new one.
   *
   * @param {Answer} answer
   * @param {Score} score
   * @param {Verdict} verdict
   * @param {Circumstances} circumstances
   * @returns {Promise<boolean>} False when this browser does not keep it.
   */
  async add(answer, score, verdict, circumstances) {
    const { comment, blind, sampling, probability, adjudication } = circumstances;
    const before = this.of(answer.case_id, answer.repeat ?? 0, score.metric, adjudication);
    /** @type {Label} */
    const label = {
      label_id: newId(),
      case_id: answer.case_id,
      repeat: answer.repeat ?? 0,
      metric: score.metric,
      output_digest: await digest(answer.output ?? ""),
      human_verdict: verdict,
      comment,
      blind,
      adjudication,
    };
    let kept = true;
    // The server adds the rest itself.
    if (this.server) await this.server.send(label);
    else {
      kept = this.keep({
        ...label,
        run_id: this.run,
        judge_verdict: score.status,
        reviewer: this.reviewer,
        source: "human",
        sampling,
        probability,
        at: new Date().toISOString(),
      });
    }
    this.changes.push({ answer, score, before, adjudication });
    return kept;
  }

  /**
   * Whether the last verdict of this visit was on this score.
   *
   * @param {string} caseId
   * @param {number} repeat
   * @param {string} metric
   */
  isLast(caseId, repeat, metric) {
    const last = this.changes.at(-1);
    if (!last) return false;
    const { case_id, repeat: at = 0 } = last.answer;
    return isAbout({ case_id, repeat: at, metric: last.score.metric }, caseId, repeat, metric);
  }

  /** Take back the last verdict of this visit. Returns the answer; null when there is none. */
  async undo() {
    const last = this.changes.pop();
    if (!last) return null;
    const { answer, score, before, adjudication } = last;
    await this.add(answer, score, before?.human_verdict ?? "withdrawn", {
      comment: before?.comment ?? "",
      blind: before?.blind ?? false,
      sampling: before?.sampling ?? "triage",
      probability: before?.probability ?? null,
      adjudication,
    });
    this.changes.pop(); // an undo can't be undone
    return answer;
  }

  /** @param {Label} label */
  keep(label) {
    this.kept.push(label);
    return memory.set(this.key, this.kept.map((each) => JSON.stringify(each)).join("\n"));
  }

  /** All records as JSONL. */
  jsonl() {
    return this.records.map((label) => `${JSON.stringify(label)}\n`).join("");
  }

  /** @param {string} reviewer */
  setReviewer(reviewer) {
    this.storedName = reviewer;
    memory.set("reviewer", reviewer);
  }
}

/**
 * Labels that this browser holds; lines that are not JSON are left out.
 *
 * @param {string} key
 */
function stored(key) {
  /** @type {Label[]} */
  const labels = [];
  for (const line of (memory.get(key) ?? "").split("\n")) {
    try {
      if (line) labels.push(JSON.parse(line));
    } catch {
      // A torn line must not hide the others.
    }
  }
  return labels;
}

/**
 * @param {{ case_id: string, repeat: number, metric: string }} label
 * @param {string} caseId
 * @param {number} repeat
 * @param {string} metric
 */
function isAbout(label, caseId, repeat, metric) {
  return label.case_id === caseId && label.repeat === repeat && label.metric === metric;
}

/**
 * `sha256:…` of a text's UTF-8; empty in pages that are not a secure context.
 *
 * @param {string} text
 */
async function digest(text) {
  if (!globalThis.crypto?.subtle) return "";
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  const bytes = [...new Uint8Array(hash)];
  return `sha256:${bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}
