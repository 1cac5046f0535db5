"""What every response says to the browser: what it may load, keep and tell others; and compression."""

from __future__ import annotations

import gzip

from flask import Response, request

from console.web.state import state

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
# Of a file that somebody joined: opened in a browser all the same, it loads nothing and runs nothing.
FILE_POLICY = "default-src 'none'; frame-ancestors 'none'; sandbox"
WORTH_PACKING = 1024  # bytes


def protect(response: Response) -> Response:
    """Close what the pages do not use; nothing but static files is kept by anyone."""
    headers = response.headers
    headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "same-origin"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
    if state().secure:
        headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
    if "Cache-Control" not in headers:
        headers["Cache-Control"] = "no-store"
    if request.endpoint != "assets.send":
        response.vary.add("HX-Request")
    return response


def pack(response: Response) -> Response:
    """Compress a text of some length for a browser that asks for it."""
    if response.is_streamed or response.direct_passthrough or "Content-Encoding" in response.headers:
        return response
    kind = response.mimetype or ""
    if not kind.startswith("text/") and kind != "application/json":
        return response
    response.vary.add("Accept-Encoding")
    if request.accept_encodings.quality("gzip") and (response.content_length or 0) > WORTH_PACKING:
        response.set_data(gzip.compress(response.get_data(), compresslevel=5, mtime=0))
        response.headers["Content-Encoding"] = "gzip"
    return response
