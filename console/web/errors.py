"""Refusals as the reader can understand them: a page, a fragment for htmx, or JSON for the API."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Flask, Response, current_app, jsonify, make_response, render_template, request
from flask_babel import gettext, lazy_gettext
from flask_babel.speaklater import LazyString
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import InterfaceError, OperationalError
from werkzeug.exceptions import HTTPException

from console.domain.errors import Conflict, DomainError, Forbidden, Invalid, NotFound, Unauthenticated
from console.web.fragments import wants_fragment

RETRY_AFTER_S = 10
STATUS: dict[type[DomainError], int] = {
    Unauthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    Invalid: 422,
}


@dataclass(frozen=True, slots=True)
class Text:
    """What an error page says: `code` for programs, the rest for people."""

    code: str
    title: str | LazyString
    advice: str | LazyString


STALE_FORM = Text(
    "stale_form",
    lazy_gettext("Ce formulaire n'est plus valable"),
    lazy_gettext("Rechargez la page, puis envoyez-le à nouveau : rien n'a été enregistré."),
)
TEXTS = {
    400: Text(
        "bad_request",
        lazy_gettext("La demande n'est pas lisible"),
        lazy_gettext("Revenez à la page précédente et recommencez."),
    ),
    401: Text(
        "unauthorized",
        lazy_gettext("Il faut vous connecter"),
        lazy_gettext("Votre session a pris fin ; connectez-vous à nouveau."),
    ),
    403: Text(
        "forbidden",
        lazy_gettext("Cette page ne vous est pas ouverte"),
        lazy_gettext("Si vous en avez besoin, demandez à un administrateur."),
    ),
    404: Text(
        "not_found",
        lazy_gettext("Il n'y a rien à cette adresse"),
        lazy_gettext("L'adresse est incomplète, ou ce qu'elle désigne n'est pas dans votre périmètre."),
    ),
    405: Text(
        "method_not_allowed",
        lazy_gettext("Cette adresse ne se demande pas ainsi"),
        lazy_gettext("Passez par les boutons et les liens des pages."),
    ),
    409: Text(
        "conflict",
        lazy_gettext("L'état des données ne le permet pas"),
        lazy_gettext("Rechargez la page pour voir où elles en sont."),
    ),
    413: Text(
        "too_large",
        lazy_gettext("L'envoi est trop volumineux"),
        lazy_gettext("Envoyez un fichier plus petit."),
    ),
    422: Text(
        "invalid",
        lazy_gettext("Une valeur n'est pas acceptée"),
        lazy_gettext("Corrigez-la, puis envoyez le formulaire à nouveau."),
    ),
    429: Text(
        "too_many_requests",
        lazy_gettext("Trop d'essais depuis cette adresse"),
        lazy_gettext("Attendez une minute avant de recommencer."),
    ),
    500: Text(
        "internal_error",
        lazy_gettext("La console a rencontré une erreur"),
        lazy_gettext("Elle est notée au journal du serveur. Si elle revient, prévenez l'exploitation."),
    ),
    503: Text(
        "unavailable",
        lazy_gettext("La base de données ne répond pas"),
        lazy_gettext("Réessayez dans un instant : rien n'a été enregistré."),
    ),
}


def install(app: Flask) -> None:
    """Answer every refusal and every failure in the language of the reader."""
    app.register_error_handler(DomainError, _refused)
    app.register_error_handler(CSRFError, _stale_form)
    app.register_error_handler(HTTPException, _failed)
    app.register_error_handler(OperationalError, _away)
    app.register_error_handler(InterfaceError, _away)


def message_of(error: DomainError) -> str:
    """The message of a domain error in the language of the reader."""
    text: str = gettext(error.message, **error.values)
    return text


def _refused(error: DomainError) -> Response:
    status = next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 422)
    return _answer(status, TEXTS[status], message_of(error))


def _stale_form(_error: CSRFError) -> Response:
    return _answer(400, STALE_FORM)


def _away(error: OperationalError | InterfaceError) -> Response:
    """The database is away, full or overtaxed: what was asked may be asked again, and is not half done."""
    current_app.logger.error("the database failed: %s", " ".join(str(error.orig).split()))
    answer = _answer(503, TEXTS[503])
    answer.headers["Retry-After"] = str(RETRY_AFTER_S)
    return answer


def _failed(error: HTTPException) -> Response:
    status = error.code or 500
    if error.response is not None or status < 400:
        return make_response(error.get_response())
    text = TEXTS.get(status) or TEXTS[500 if status >= 500 else 400]
    answer = _answer(status, text)
    for name, value in error.get_headers():
        if name == "Allow":
            answer.headers[name] = value
    return answer


def _answer(status: int, text: Text, message: str = "") -> Response:
    if request.path.startswith("/api/"):
        body = jsonify(error={"code": text.code, "message": message or str(text.title)})
        return make_response(body, status)
    template = "errors/fragment.html" if wants_fragment() else "errors/page.html"
    answer = make_response(render_template(template, status=status, text=text, message=message), status)
    if wants_fragment():
        answer.headers["HX-Retarget"] = "#messages"
        answer.headers["HX-Reswap"] = "innerHTML"
    return answer
