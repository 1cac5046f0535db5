"""QR codes as drawings inside the page: no file, and no style of their own."""

from __future__ import annotations

import io

import segno
from markupsafe import Markup


def drawing(text: str) -> Markup:
    """The code of a text, black on white whatever the scheme of the page: that is what cameras read."""
    svg = io.BytesIO()
    segno.make(text, error="m", micro=False).save(
        svg,
        kind="svg",
        scale=5,
        border=4,
        dark="#000",
        light="#fff",
        xmldecl=False,
        svgns=False,
        svgclass=None,
        lineclass=None,
    )
    return Markup(svg.getvalue().decode())  # noqa: S704 - made of squares, not of the text
