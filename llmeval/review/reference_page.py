"""The page of `llmeval review --doubtful`: each case with its reference and all answers side by
side.

The page has no other script than `_SCRIPT`, which its policy names by hash. Every text of the data
is escaped.
"""

import base64
import hashlib
import html
from collections.abc import Sequence
from pathlib import Path

from llmeval.core.files import write_atomically
from llmeval.review.references import DoubtfulCase, StoredAnswer

_SHOWN = 4000
"""Characters of one text."""
_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 90rem; padding: 1rem; }
section { border: 1px solid #8888; border-radius: 6px; margin: 1rem 0; padding: 1rem; }
section.done { opacity: .65; }
.answers { display: grid; gap: .5rem; grid-template-columns: repeat(auto-fit, minmax(16rem, 1fr)); }
.answer { border: 1px solid #8888; border-radius: 4px; padding: .5rem; }
.answer p, .text { margin: 0; overflow-wrap: anywhere; white-space: pre-wrap; }
h2 { font-size: 1.1rem; margin: 0; overflow-wrap: anywhere; }
h3 { font-size: .9rem; margin: .5rem 0 .25rem; overflow-wrap: anywhere; }
label { display: block; margin-top: .5rem; }
textarea, input { box-sizing: border-box; font: inherit; width: 100%; }
button { font: inherit; margin: .5rem .5rem 0 0; min-height: 2.5rem; padding: 0 1rem; }
button[aria-pressed="true"] { outline: 3px solid #3f51b5; }
"""
_SCRIPT = """
"use strict";
const status = document.getElementById("status");
const sections = [...document.querySelectorAll("section[data-case]")];
function show(state) {
  for (const section of sections) {
    const verdict = state[section.dataset.case];
    section.classList.toggle("done", verdict !== undefined);
    for (const button of section.querySelectorAll("button"))
      button.setAttribute("aria-pressed", String(button.value === verdict));
  }
  const done = sections.filter((section) => section.classList.contains("done")).length;
  status.textContent = `${done} of ${sections.length} cases done`;
}
async function send(section, verdict) {
  const lines = section.querySelector("textarea").value.split("\\n");
  const references = lines.map((line) => line.trim()).filter((line) => line !== "");
  const vote = { label_id: crypto.randomUUID(), case_id: section.dataset.case, verdict, references,
    comment: section.querySelector("input").value };
  const reply = await fetch("/labels", { method: "POST", body: JSON.stringify(vote),
    headers: { "Content-Type": "application/json" } });
  if (!reply.ok) { status.textContent = `Not saved: ${await reply.text()}`; return; }
  show(await reply.json());
}
function failed() { status.textContent = "Not saved: the review server does not answer"; }
for (const section of sections)
  for (const button of section.querySelectorAll("button"))
    button.addEventListener("click", () => send(section, button.value).catch(failed));
fetch("/state").then((reply) => reply.json()).then(show).catch(failed);
"""


def reference_policy() -> str:
    """The Content-Security-Policy of the page."""
    return (
        f"default-src 'none'; script-src '{_hash(_SCRIPT)}'; style-src '{_hash(_STYLE)}';"
        " connect-src 'self'; base-uri 'none'; form-action 'none'"
    )


def write_reference_page(path: Path, suite: str, cases: Sequence[DoubtfulCase]) -> None:
    """Write the page as one file."""
    body = "".join(map(_section, cases)) or "<p>Stored runs speak against no reference.</p>"
    page = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Doubtful references: {_text(suite)}</title><style>{_STYLE}</style></head><body>"
        f"<main><h1>Doubtful references: {_text(suite)}</h1>"
        "<p>The most doubtful case is first. “Wrong” saves the lines below “Right references” as"
        " your proposal; <code>llmeval data fix</code> makes a patch of it.</p>"
        f'<p id="status" role="status"></p>{body}</main><script>{_SCRIPT}</script></body></html>'
    )
    write_atomically(path, page.encode("utf-8", "replace"))


def _section(case: DoubtfulCase) -> str:
    answers = "".join(map(_answer, case.answers))
    references = html.escape("\n".join(case.references))
    return (
        f'<section data-case="{html.escape(case.case_id)}"><h2>{_text(case.case_id)}</h2>'
        f'<p class="text">{_text(case.question)}</p><p>{_text(case.reason)}</p>'
        f'<div class="answers">{answers}</div>'
        f'<label>Right references, one a line<textarea rows="3">\n{references}</textarea></label>'
        '<label>Comment<input maxlength="4000"></label>'
        '<button type="button" value="wrong">Reference wrong</button>'
        '<button type="button" value="right">Reference right</button>'
        '<button type="button" value="unsure">Unsure</button></section>'
    )


def _answer(answer: StoredAnswer) -> str:
    mark = {True: "matches", False: "misses", None: "not compared"}[answer.passed]
    return (
        f'<div class="answer"><h3>{_text(answer.candidate)} · {mark}</h3>'
        f"<p>{_text(answer.text) or '(empty)'}</p></div>"
    )


def _text(value: str) -> str:
    """Escaped, with invisible characters shown, at most 4,000 characters."""
    short = value if len(value) <= _SHOWN else value[:_SHOWN] + " …"
    shown = "".join(c if c.isprintable() or c in "\n\t" else f"\\u{ord(c):04x}" for c in short)
    return html.escape(shown)


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
