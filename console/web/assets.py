"""Style and script, served under an address that changes with their content and so may be kept for ever."""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from flask import Blueprint, Response, abort, request, url_for

from console.web.access import public

FILES = Path(__file__).with_name("static")
FOR_EVER = "public, max-age=31536000, immutable"

bp = Blueprint("assets", __name__)


@dataclass(frozen=True, slots=True)
class Asset:
    """A file in memory, as it is and compressed."""

    kind: str
    digest: str
    plain: bytes
    packed: bytes


@bp.get("/static/<digest>/<name>")
@public
def send(digest: str, name: str) -> Response:
    """The file; kept for ever only under its own digest, which another version of the page may not name."""
    asset = assets().get(name)
    if asset is None:
        abort(404)
    packed = request.accept_encodings.quality("gzip") > 0
    response = Response(asset.packed if packed else asset.plain, content_type=asset.kind)
    response.headers["Cache-Control"] = FOR_EVER if digest == asset.digest else "no-store"
    response.headers["Vary"] = "Accept-Encoding"
    if packed:
        response.headers["Content-Encoding"] = "gzip"
    return response


def asset_url(name: str) -> str:
    """The address of a file of this version."""
    return url_for("assets.send", digest=assets()[name].digest, name=name)


@cache
def assets() -> dict[str, Asset]:
    """Every file by name, read and compressed once."""
    return {path.name: _asset(path) for path in sorted(FILES.iterdir()) if path.is_file()}


def _asset(path: Path) -> Asset:
    content = path.read_bytes()
    kind = mimetypes.guess_type(path.name)[0] or "text/plain"
    return Asset(
        kind=f"{kind}; charset=utf-8" if kind.startswith("text/") else kind,
        digest=hashlib.sha256(content).hexdigest()[:16],
        plain=content,
        packed=gzip.compress(content, mtime=0),
    )
