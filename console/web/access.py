"""One gate before every view: who is at the other end, and what they may ask.

Each view says for whom it is: `@public`, `@signed_in` or `@requires(permission)`. A view that says nothing
stops the start of the application with its name.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any, TypeVar
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, g, redirect, request, url_for
from werkzeug.exceptions import Unauthorized
from werkzeug.wrappers import Response as AnyResponse

from console.actions.sign_in import LONGEST_STAY, hash_of, keep_alive
from console.domain.access import SEES_EVERY_ADHERENT, STAFF, Method, Permission, Role, may
from console.domain.devices import Device, device_of
from console.domain.errors import Forbidden, NotFound
from console.store.queries import sign_in
from console.store.queries.sign_in import SignedIn
from console.store.session import Operator, Scope, Tenants
from console.web import cookies
from console.web.state import state

COOKIE = "sign_in"
LONGEST_IDLE = timedelta(minutes=30)
READING = frozenset({"GET", "HEAD"})
OWN_ADHERENT_ONLY = frozenset({Permission.SEE_AUDIT, Permission.DECLARE_INCIDENTS})
SEEN_EVERY = timedelta(minutes=1)  # so that reading pages does not write at each of them
OPEN_TO_ONE_TIME_PASSWORDS = frozenset({"account.change_password", "sign_in.leave"})
OPEN_WITHOUT_SECOND_FACTOR = frozenset(
    {"second_factor.enrol", "second_factor.confirm", *OPEN_TO_ONE_TIME_PASSWORDS}
)


class Audience(Enum):
    """Whom a view is for, where it asks for no permission."""

    EVERYONE = "everyone"
    SIGNED_IN = "signed_in"


View = TypeVar("View", bound=Callable[..., Any])


class UnclassifiedView(Exception):
    """A view that does not say whom it is for; the message is its endpoint."""


def public(view: View) -> View:
    """Open to everyone."""
    view.__dict__["audience"] = Audience.EVERYONE
    return view


def signed_in(view: View) -> View:
    """Open to every account."""
    view.__dict__["audience"] = Audience.SIGNED_IN
    return view


def requires(permission: Permission) -> Callable[[View], View]:
    """Open to the accounts whose role holds the permission."""

    def classified(view: View) -> View:
        view.__dict__["audience"] = permission
        return view

    return classified


def unattended(view: View) -> View:
    """The page asks for it by itself: that does not show that the person is still there."""
    view.__dict__["unattended"] = True
    return view


def check_every_view(app: Flask) -> None:
    """Raise `UnclassifiedView` for the first view that does not say whom it is for."""
    for endpoint, view in app.view_functions.items():
        if audience_of(view) is None:
            raise UnclassifiedView(endpoint)


def audience_of(view: Callable[..., Any]) -> Audience | Permission | None:
    """Whom a view is for, None where it does not say."""
    return getattr(view, "audience", None)


def gate() -> AnyResponse | None:
    """Let the request through to its view, or answer in its place."""
    if request.endpoint is None:
        return None
    audience = audience_of(current_app.view_functions[request.endpoint])
    if audience is Audience.EVERYONE:
        return None
    account = known_account()
    if account is None:
        return _to_sign_in()
    if elsewhere := _owed(account):
        return _elsewhere(elsewhere)
    if _is_out_of_scope(account):  # before the permission: nothing tells it from an adherent that is not
        raise NotFound("Adhérent introuvable.")
    if isinstance(audience, Permission) and not _may_here(account, audience):
        raise Forbidden("Votre rôle ne donne pas accès à cette page.")
    if _is_of_a_member(account) and request.method not in READING:
        raise Forbidden("Cet adhérent est membre de votre GHT : vous le lisez, sans rien y changer.")
    return None


def known_account() -> SignedIn | None:
    """The account that is signed in, if there is one."""
    if "account" not in g:
        g.account = None  # where the question fails, the page that says so does not ask again
        g.account = _recognise()
    found: SignedIn | None = g.account
    return found


def current_account() -> SignedIn:
    """The account that is signed in; for views that are not public."""
    account = known_account()
    if account is None:
        raise Unauthorized
    return account


def scope() -> Scope:
    """What the signed-in account may see: at the address of one adherent, that one."""
    account = current_account()
    if account.role in SEES_EVERY_ADHERENT:
        return Operator()
    tenants = account.tenants if request.method in READING else account.tenants - account.members
    if not tenants:
        raise Forbidden("Aucun adhérent n'est confié à ce compte : demandez à un administrateur de le faire.")
    named = (request.view_args or {}).get("tenant_id")
    return Tenants(tenants & {named} if named is not None else tenants)


def own_adherent() -> int | None:
    """The adherent of an account that is of one, and of no group."""
    account = known_account()
    if account is None or account.role is not Role.CIO or len(account.tenants) != 1:
        return None
    (tenant_id,) = account.tenants
    return tenant_id


def allowed(permission: Permission) -> bool:
    """Whether the one who reads the page holds a permission, there."""
    account = known_account()
    return account is not None and _may_here(account, permission)


def needs_second_factor(account: SignedIn) -> bool:
    """Whether the account must have one; who signs people in for us answers for theirs."""
    return state().require_totp and account.role in STAFF and account.method is Method.PASSWORD


def keep_cookie(response: Response, token: str) -> None:
    """Hand the token of a sign-in to the browser."""
    cookies.keep(response, COOKIE, token, int(LONGEST_STAY.total_seconds()))


def this_device() -> Device:
    """Where the request comes from, as far as it is kept."""
    return device_of(request.user_agent.string, request.remote_addr)


def local_path(target: str | None) -> str | None:
    """The target if it is a path of this console, None if a browser could take it elsewhere."""
    if not target or not target.isprintable() or "\\" in target:
        return None
    parts = urlsplit(target)
    if parts.scheme or parts.netloc or not target.startswith("/") or target.startswith("//"):
        return None
    return target


def _recognise() -> SignedIn | None:
    token = request.cookies.get(cookies.named(COOKIE))
    if not token:
        return None
    now = datetime.now(UTC)
    with state().database.read(Operator()) as session:
        account = sign_in.signed_in(session, hash_of(token), now=now, idle_since=now - LONGEST_IDLE)
    if account is not None and _is_there() and now - account.seen_at > SEEN_EVERY:
        with state().database.write(Operator()) as session:
            keep_alive(session, account.token_sha256, now=now)
    return account


def _owed(account: SignedIn) -> str | None:
    """The page that an account must go through before any other."""
    if account.must_change_password and account.method is Method.PASSWORD:
        owed, open_still = "account.change_password", OPEN_TO_ONE_TIME_PASSWORDS
    elif needs_second_factor(account) and not account.has_second_factor:
        owed, open_still = "second_factor.enrol", OPEN_WITHOUT_SECOND_FACTOR
    else:
        return None
    return None if request.endpoint in open_still else url_for(owed)


def _is_out_of_scope(account: SignedIn) -> bool:
    """Whether the address names an adherent that the account was not given."""
    tenant_id = (request.view_args or {}).get("tenant_id")
    return (
        tenant_id is not None and account.role not in SEES_EVERY_ADHERENT and tenant_id not in account.tenants
    )


def _may_here(account: SignedIn, permission: Permission) -> bool:
    """Whether the account holds a permission at the address: a group reads its members, but their logs."""
    if permission in OWN_ADHERENT_ONLY and _is_of_a_member(account):
        return False
    return may(account.role, permission)


def _is_of_a_member(account: SignedIn) -> bool:
    """Whether the address names a mere member of the group of the account."""
    return (request.view_args or {}).get("tenant_id") in account.members


def _is_there() -> bool:
    view = current_app.view_functions.get(request.endpoint or "")
    return not getattr(view, "unattended", False)


def _to_sign_in() -> AnyResponse:
    if request.path.startswith("/api/"):
        raise Unauthorized
    if request.headers.get("HX-Request"):
        page = urlsplit(request.headers.get("HX-Current-URL", ""))
        asked = page.path + (f"?{page.query}" if page.query else "")
    else:
        asked = request.full_path.rstrip("?") if request.method == "GET" else ""
    return _elsewhere(url_for("sign_in.show", next=local_path(asked)))


def _elsewhere(address: str) -> AnyResponse:
    """Send the browser to another page; htmx follows a header, for it would swap what a redirect leads to."""
    if request.headers.get("HX-Request"):
        return Response(status=401, headers={"HX-Redirect": address})
    return redirect(address, 303)
