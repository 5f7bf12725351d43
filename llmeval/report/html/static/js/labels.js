// What a reader says about scores. In a file: kept in this browser, saved as JSONL. From a review server: kept there.

import { memory } from "./dom.js";

/** Labels of one run. `server`: where they go; null in a file. */
export class Labels {
  constructor(run, server = null) {
    this.key = `labels.${run}`;
    this.run = run;
    this.server = server;
    this.undone = [];
    this.kept = [];
    for (const line of server ? [] : (memory.get(this.key) ?? "").split("\n")) {
      try {
        if (line) this.kept.push(JSON.parse(line));
      } catch {
        continue;
      }
    }
    this.name_ = memory.get("reviewer") ?? "";
  }

  get records() {
    return this.server?.state.labels ?? this.kept;
  }

  get reviewer() {
    return this.server?.state.reviewer ?? this.name_;
  }

  /** The reader's last label on a score; null when there is none, or it was taken back. */
  of(caseId, repeat, metric) {
    const found = this.records.findLast((label) => isAbout(label, caseId, repeat, metric));
    return found && found.human_verdict !== "withdrawn" ? found : null;
  }

  /** What other people said, as far as it may be shown: after the reader's own vote. */
  others(caseId, repeat, metric) {
    return (this.server?.state.others ?? []).filter((label) => isAbout(label, caseId, repeat, metric));
  }

  /** Labels that differ on a score, while nobody has decided; null when there are none. */
  conflict(caseId, repeat, metric) {
    return (this.server?.state.conflicts ?? []).find((each) => isAbout(each, caseId, repeat, metric))?.labels ?? null;
  }

  /** Record a verdict: never changed afterwards, a correction is a new record. False when this browser does not keep it. */
  async add(answer, score, verdict, { comment = "", blind, sampling, probability, adjudication = false }) {
    const place = [answer.case_id, answer.repeat ?? 0, score.metric];
    const before = this.of(...place);
    const label = {
      label_id: crypto.randomUUID?.() ?? `${Date.now()}-${Math.random().toString(36).slice(2)}`,
      case_id: answer.case_id,
      repeat: answer.repeat ?? 0,
      metric: score.metric,
      output_digest: await digest(answer.output ?? ""),
      human_verdict: verdict,
      comment,
      blind,
      adjudication,
    };
    const kept = this.server ? await this.server.send(label).then(() => true) : this.keep({ ...label, run_id: this.run, judge_verdict: score.status, reviewer: this.reviewer, source: "human", sampling, probability, at: new Date().toISOString() });
    this.undone.push({ answer, score, before });
    return kept;
  }

  /** Whether the last verdict of this visit was on this score. */
  last(caseId, repeat, metric) {
    const last = this.undone.at(-1);
    return last !== undefined && isAbout({ ...last.answer, repeat: last.answer.repeat ?? 0, metric: last.score.metric }, caseId, repeat, metric);
  }

  /** Take the last verdict of this visit back: the one before stands again. Gives the answer; null when there is none. */
  async undo() {
    const last = this.undone.pop();
    if (!last) return null;
    const { answer, score, before } = last;
    await this.add(answer, score, before?.human_verdict ?? "withdrawn", { ...before, comment: before?.comment ?? "", blind: before?.blind ?? false, sampling: before?.sampling ?? "triage", probability: before?.probability ?? null, adjudication: false });
    this.undone.pop();
    return answer;
  }

  keep(label) {
    this.kept.push(label);
    return memory.set(this.key, this.kept.map((each) => JSON.stringify(each)).join("\n"));
  }

  /** All records as JSONL. */
  jsonl() {
    return this.records.map((label) => `${JSON.stringify(label)}\n`).join("");
  }

  name(reviewer) {
    this.name_ = reviewer;
    memory.set("reviewer", reviewer);
  }
}

function isAbout(label, caseId, repeat, metric) {
  return label.case_id === caseId && label.repeat === repeat && label.metric === metric;
}

/** `sha256:…` of a text's UTF-8; empty where the browser offers no digest (pages that are not a secure context). */
async function digest(text) {
  if (!globalThis.crypto?.subtle) return "";
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return "sha256:" + [...new Uint8Array(hash)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
