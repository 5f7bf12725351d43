"""The page's icon in the browser's tab: the decision by shape and colour."""

from urllib.parse import quote

_PASS, _FAIL, _UNSURE, _INVALID, _PLAIN = "#177245", "#b3261e", "#875800", "#7a3597", "#5b5e64"
_MARK = 'fill="none" stroke="#fff" stroke-width="2.8" stroke-linecap="round"'
_ICONS = {
    "pass": f'<circle cx="12" cy="12" r="12" fill="{_PASS}"/><path d="M6.8 12.4l3.6 3.6 6.8-7.6" {_MARK}/>',
    "fail": f'<path d="M7 0h10l7 7v10l-7 7H7l-7-7V7z" fill="{_FAIL}"/><path d="M8 8l8 8M16 8l-8 8" {_MARK}/>',
    "unsure": f'<rect width="24" height="24" rx="5" fill="{_UNSURE}"/>'
    f'<path d="M8.9 9.2a3.1 3.1 0 1 1 4.5 2.8c-.9.5-1.4 1-1.4 2M12 17.9v.1" {_MARK}/>',
    "invalid": f'<path d="M12 1l12 22H0z" fill="{_INVALID}"/><path d="M12 9v6M12 18.6v.1" {_MARK}/>',
    "plain": f'<circle cx="12" cy="12" r="12" fill="{_PLAIN}"/><path d="M7 12h10" {_MARK}/>',
}
"""The shapes of `parts.html.j2`, filled to the edge: a tab shows them 16 pixels wide."""


def favicon(tone: str) -> str:
    """A `data:` address of an SVG image. `tone`: the colour family of a decision; an unknown one is `plain`."""
    shape = _ICONS.get(tone, _ICONS["plain"])
    return "data:image/svg+xml," + quote(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24">{shape}</svg>'
    )
