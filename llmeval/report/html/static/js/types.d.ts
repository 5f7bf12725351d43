// Types of what the page reads: the run's records (see llmeval's records.py), the index, and the
// review server's answers. For the type checker and for readers; the page itself never loads this.

/** A colour family. Each has a shape of its own, so that colour is never the only sign. */
export type Tone = "pass" | "fail" | "unsure" | "invalid" | "plain";

export type ScoreStatus =
  | "pass"
  | "fail"
  | "unscored"
  | "not_scored"
  | "needs_review"
  | "error"
  | "not_applicable";

/** A person's verdict. `withdrawn` takes the earlier one back. */
export type Verdict = "pass" | "fail" | "unsure" | "withdrawn";

/** Any value that JSON can hold. */
export type Json = string | number | boolean | null | Json[] | { [name: string]: Json };

/** A part of the answer's text, in code points: `start` inclusive, `end` exclusive. */
export interface Span {
  start: number;
  end: number;
  message?: string;
  rule?: string;
  severity?: "error" | "advice" | "info";
}

export interface RecordedError {
  kind: string;
  message: string;
}

/** One metric of one answer. */
export interface Score {
  case_id: string;
  repeat?: number;
  metric: string;
  status: ScoreStatus;
  /** In [0, 1]; null unless the status is pass or fail. */
  value?: number | null;
  source?: "check" | "judge" | "human";
  reason?: string;
  evidence?: Span[];
  /** Why there is no value. */
  unscored?: string | null;
  /** Probability that the verdict is right, in [0.5, 1]. */
  confidence?: number | null;
  judge?: string | null;
  attempts?: number;
  cached?: boolean;
  details?: { [name: string]: Json } | null;
}

/** A call of a tool, as the application returned it. */
export interface ToolCall {
  name: string;
  arguments?: Json;
  result?: Json;
}

/** A message of the user and the reply, in a conversation. */
export interface Turn {
  user: string;
  output?: string | null;
  tool_calls?: ToolCall[];
  data?: { [name: string]: Json } | null;
  latency_ms?: number | null;
  usage?: Usage | null;
  error?: RecordedError | null;
  trace?: Trace | null;
}

export interface Usage {
  input_tokens?: number | null;
  output_tokens?: number | null;
}

/** One step of the application: a span of OpenTelemetry. */
export interface TraceStep {
  name: string;
  depth?: number;
  start_ms?: number;
  duration_ms?: number;
  error?: string | null;
  attributes?: { [name: string]: Json };
}

/** What the application did for an answer: its steps, or where they are shown. */
export interface Trace {
  url?: string | null;
  steps?: TraceStep[];
  left_out?: number;
}

/** One answer of the candidate. */
export interface Answer {
  case_id: string;
  repeat?: number;
  output?: string | null;
  /** The model's reasoning, where the endpoint returns it. */
  reasoning?: string | null;
  finish_reason?: string | null;
  error?: RecordedError | null;
  cached?: boolean;
  attempts?: number;
  latency_ms?: number | null;
  usage?: Usage | null;
  cost_usd?: number | null;
  model?: string | null;
  fingerprint?: string | null;
  answered_at?: string | null;
  reused_from?: string | null;
  request?: string | null;
  tool_calls?: ToolCall[];
  /** What the application returned next to the text. */
  data?: { [name: string]: Json } | null;
  /** Of a conversation. */
  turns?: Turn[];
  /** How a conversation ended; null without one. */
  ended?: "turns" | "until" | "max_turns" | "user" | "empty" | null;
  /** Of a simulated user. */
  user?: { kept_goal?: boolean | null; reason?: string } | null;
  trace?: Trace | null;
}

export interface Case {
  id: string;
  fields?: { [name: string]: Json };
  messages?: {
    role: string;
    content: string;
    parts?: { image?: string; name?: string }[];
  }[];
  references?: string[];
  facts?: Json[];
  context?: string | null;
  tags?: { [name: string]: string };
  source?: string | null;
  cluster?: string | null;
  digest?: string | null;
}

export interface AnsweredCase {
  answer: Answer;
  scores: Score[];
}

/** A row in full, as a chunk holds it. */
export interface FullRow {
  case: Case;
  now: AnsweredCase;
  /** The same case and repeat in the baseline. */
  before?: AnsweredCase;
  /** By metric: one letter for each past run, oldest first. */
  past?: { [metric: string]: string };
}

/** The index: one array for each column, one entry for each row. See index.py. */
export interface Columns {
  id: string[];
  /** Number of the repeat, from 0. */
  rep: number[];
  /** Position in `QUEUES`. */
  queue: number[];
  /** Priority within the queue, larger first. */
  prio: number[];
  /** Letter of the row's state. */
  state: string[];
  /** One letter for each metric. */
  now: string[];
  /** The same in the baseline; empty without one. */
  was: string[];
  /** First words of the question. */
  ask: string[];
  /** Why the row is in its queue. */
  why: string[];
  /** Position in `Meta.combos`. */
  tags: number[];
  /** Bits in the order of `Meta.flags`. */
  flags: number[];
  /** Number of the chunk with the full row; -1 when the file does not hold it. */
  chunk: number[];
  /** Latency in milliseconds. */
  ms: (number | null)[];
  /** Characters in the answer. */
  len: number[];
  /** Mean score in thousandths. */
  value: (number | null)[];
}

/** A past run, as the history of a case names it. */
export interface PastRun {
  when: string;
  candidate: string;
  href?: string | null;
}

export interface Meta {
  run: string;
  suite: string;
  metrics: string[];
  tags: string[];
  /** Combinations of tag values that occur. */
  combos: { [tag: string]: string }[];
  flags: string[];
  /** Whether the run is compared with a baseline. */
  baseline: boolean;
  /** By metric of a judge: TRUSTED or UNTRUSTED. */
  judges: { [metric: string]: string | null };
  /** Rows in each queue; the names are in capitals. */
  queues: { [queue: string]: number };
  /** Whether the page comes from the review server. */
  served: boolean;
  past: PastRun[];
  /** Comments on cases; empty in a page from a server. */
  comments: CaseComment[];
}

/** A person's verdict on one metric of one answer: a line of labels.jsonl. */
export interface Label {
  label_id: string;
  case_id: string;
  repeat: number;
  metric: string;
  output_digest: string;
  human_verdict: Verdict;
  comment: string;
  blind: boolean;
  adjudication: boolean;
  run_id?: string;
  judge_verdict?: ScoreStatus;
  reviewer?: string;
  source?: "human";
  sampling?: string;
  probability?: number | null;
  at?: string;
}

/** What other reviewers decided, as far as the server shows it. */
export type Opinion = Pick<
  Label,
  "case_id" | "repeat" | "metric" | "human_verdict" | "comment" | "adjudication" | "reviewer"
>;

/** Reviewers who differ on one metric of one answer. */
export interface Conflict {
  case_id: string;
  repeat: number;
  metric: string;
  labels: Opinion[];
}

/** The review server's state. */
export interface ServerState {
  reviewer: string;
  /** Answers to review: case, repeat, metrics. */
  queue: [string, number, string[]][];
  labels: Label[];
  others: Opinion[];
  conflicts: Conflict[];
  /** On cases: the reader's own, and those of others that can't sway a vote any more. */
  comments: CaseComment[];
  /** Whether the reader is here to settle what reviewers differ on. */
  adjudicating: boolean;
  /** Whether the reader may settle that. */
  may_adjudicate: boolean;
  /** Whether several people use this server, each with a token. */
  team: boolean;
}

/** A person's remark on a case. */
export interface CaseComment {
  case_id: string;
  text: string;
  author: string;
  at: string;
  /** Whether the case has changed since. */
  void: boolean;
}

/** A place in the reviewer's queue. */
export interface QueueEntry {
  at: number;
  metrics: string[];
}

/** A part of a text to mark, in UTF-16 units. Marks may overlap. */
export interface Mark {
  start: number;
  end: number;
  class: string;
  title?: string;
  /** Shown as a reference after the mark. */
  number?: number;
  id?: string;
}

/** A mark in the answer that comes from a score. */
export interface Finding extends Mark {
  number: number;
  id: string;
  metric: string;
  message?: string;
  rule?: string;
  severity: "error" | "advice" | "info";
  judge: boolean;
}

/** What the detail of a case needs to know of the page, and what it can ask it to do. */
export interface CaseView {
  /** Whether word differences are marked. */
  diff: boolean;
  blind: boolean;
  /** Whether the reader settles what reviewers differ on. */
  deciding: boolean;
  /** "3 of 12". */
  position: string;
  /** Whether the reader's verdict on a score is wanted. */
  isRequested: (score: Score) => boolean;
  labels: import("./labels.js").Labels;
  comments: (id: string) => CaseComment[];
  /** Null in a file. */
  addComment: ((id: string) => void) | null;
  toggleDiff: () => void;
  flash: (id: string) => void;
  slice: (value: string) => void;
  vote: (score: Score, verdict: Verdict) => void;
  comment: (score: Score) => void;
  undo: () => void;
}

/** What the address holds; every value is text. */
export interface PageState {
  view: string;
  /** The query: see query.js. */
  q: string;
  sort: string;
  group: string;
  case: string;
  repeat: string;
  /** Number of the page of the plain table; empty for the list. */
  page: string;
  /** "1" when full texts are searched. */
  full: string;
}

export interface Token {
  key: string;
  value: string;
  not: boolean;
}
