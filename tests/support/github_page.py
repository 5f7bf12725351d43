"""What GitHub and GitLab make of Markdown: the page, and what their filters would link, mention or
run in it.

The page comes from cmark-gfm, which GitHub uses. The filters work on the text of the page outside of
code, as html-pipeline's do; their patterns follow GitHub Docs ("Autolinked references and URLs",
"Basic writing and formatting syntax", "Writing mathematical expressions") and GitLab Docs
("GitLab-specific references", "Quick actions").
"""

import re
from html.parser import HTMLParser

from cmarkgfm.cmark import Options, markdown_to_html_with_extensions

IGNORED = {"pre", "code", "a", "style", "script"}
"""Filters of html-pipeline do not read text below these."""
TAGS = {
    "h2", "p", "strong", "code", "pre", "ul", "li", "blockquote", "details", "summary",
    "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip
"""What a summary is made of."""
FILTERS = {
    "mention": r"(?<!\w)@[A-Za-z0-9]",
    "address": r"(?i)https?://|ftp://|www\.\w|mailto:|xmpp:|\w@\w+\.\w",
    "issue": r"#\d|(?i:\bGH-\d)|(?i:\bGHSA-\w|\bCVE-\d)",
    "ticket": r"\b[A-Z][A-Z0-9_]+-\d",
    "commit": r"(?<![0-9A-Za-z])[0-9a-f]{7,64}(?![0-9A-Za-z])",
    "emoji": r":[\w+-]+:",
    "mathematics": r"\$",
    "GitLab reference": r"(?<!\w)[!~%&^][\w\"]|\w![0-9]|\[\w+:",
    "hidden": "[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e0fff]",
}
MARKER = re.compile(r" llmeval:[A-Za-z0-9._-]+ ")
QUICK_ACTION = re.compile(r"^[ \t]*/[A-Za-z]", re.M)


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.comments: list[str] = []
        self.tags: dict[str, int] = {}
        self.attributes: set[tuple[str, str, str | None]] = set()
        self.html = ""
        self.text: list[str] = []
        self.everything: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        self.tags[tag] = self.tags.get(tag, 0) + 1
        self.attributes |= {(tag, name, value) for name, value in attrs}

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.open:
            self.tags[f"/{tag}"] = 1
            return
        while self.open and self.open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        self.everything.append(data)
        self.text.append("\x1d" if IGNORED & set(self.open) else data)


def rendered(markdown: str) -> _Page:
    """The page of a comment, before it is sanitized: what is inert then is inert after it."""
    html = markdown_to_html_with_extensions(
        markdown,
        options=Options.CMARK_OPT_UNSAFE | Options.CMARK_OPT_FOOTNOTES,
        extensions=["table", "autolink", "strikethrough", "tasklist"],
    )
    page = _Page()
    page.html = html
    page.feed(html)
    page.close()
    return page


def acts(markdown: str) -> list[str]:
    """What in a summary would act, by name; empty where all is inert."""
    page = rendered(markdown)
    text = "".join(page.text).replace("\x1d", "\x00code\x00")
    found = [f"tag {tag}" for tag in page.tags if tag not in TAGS]
    found += [f"attribute {each}" for each in page.attributes if each not in _KNOWN]
    if page.html.count("<!--") > sum(bool(MARKER.fullmatch(each)) for each in page.comments):
        found.append("a comment, which hides what follows")
    for name, pattern in FILTERS.items():
        within = "".join(page.everything) if name == "hidden" else text.replace("\x00code\x00", " ")
        if match := re.search(pattern, within):
            found.append(f"{name}: {within[max(0, match.start() - 20) : match.end() + 20]!r}")
    if match := QUICK_ACTION.search(_without_indent(markdown)):
        found.append(f"quick action: {match[0]!r}")
    return found


_KNOWN = {
    ("code", "class", "language-text"),
    *((cell, "align", side) for cell in ("th", "td") for side in ("left", "right")),
}


def _without_indent(markdown: str) -> str:
    """The lines that GitLab may read as commands: it takes those that start with a slash."""
    return "\n".join(line for line in markdown.split("\n") if not line.startswith("  "))
