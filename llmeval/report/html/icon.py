"""The page's icon in the browser's tab: the decision by shape and colour."""

import base64

_MARK = 'fill="none" stroke="#fff" stroke-width="2.8" stroke-linecap="round"'
_CROSS, _TICK = "M8 8l8 8M16 8l-8 8", "M6.8 12.4l3.6 3.6 6.8-7.6"
_QUESTION = "M8.9 9.2a3.1 3.1 0 1 1 4.5 2.8c-.9.5-1.4 1-1.4 2M12 17.9v.1"
_ICONS = {
    "pass": ("#177245", "M12 0a12 12 0 1 1 0 24 12 12 0 0 1 0-24z", _TICK),
    "fail": ("#b3261e", "M7 0h10l7 7v10l-7 7H7l-7-7V7z", _CROSS),
    "unsure": ("#875800", "M0 0h24v24H0z", _QUESTION),
    "invalid": ("#7a3597", "M12 1l12 22H0z", "M12 9v6M12 18.6v.1"),
    "plain": ("#5b5e64", "M12 0a12 12 0 1 1 0 24 12 12 0 0 1 0-24z", "M7 12h10"),
}
"""Colour, shape and mark: those of `parts.html.j2`, filled to the edge, as a tab shows them 16 px
wide.
"""


def favicon(tone: str) -> str:
    """A `data:` address of an SVG image. `tone`: the colour family of a decision; an unknown one is
    `plain`.
    """
    colour, shape, mark = _ICONS.get(tone, _ICONS["plain"])
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24">'
        f'<path d="{shape}" fill="{colour}"/><path d="{mark}" {_MARK}/></svg>'
    )
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()
