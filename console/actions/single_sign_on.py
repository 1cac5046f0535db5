"""Signing in through an identity provider: OpenID Connect, authorization code with PKCE (RFC 7636).

    begin -> the person at the provider -> finish (state, code, nonce) -> account_behind

`begin` and `finish` talk to the provider, with no transaction open, within time limits, at addresses of its
own origin only. An account must exist first: it is found by a verified address the first time, and by what
the provider calls the person ever after. The second factor is the provider's affair.
"""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry
from requests import RequestException, Response
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from console.domain.errors import DomainError
from console.store.models import people as p

CONNECT_S, ANSWER_S = 3, 5
LEEWAY_S = 30  # between the provider's clock and ours
LONGEST_ANSWER = 1_000_000  # bytes
SIGNATURES = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"]
LIMITS: dict[str, Any] = {"allow_redirects": False}  # and the time limits of the session
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint")

Answer = TypeVar("Answer")


class Unreachable(DomainError):
    """The provider does not answer, or not as one."""


class NotProven(DomainError):
    """What came back opens no account."""


@dataclass(frozen=True, slots=True)
class Errand:
    """What we must remember until the person comes back; nobody else may read it."""

    state: str
    nonce: str
    verifier: str
    asked: str

    def text(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def of(cls, text: str) -> Errand:
        return cls(**json.loads(text))


@dataclass(frozen=True, slots=True)
class Identity:
    """A person as the provider knows them; `email` is None where it is not verified."""

    issuer: str
    subject: str
    email: str | None


@dataclass(frozen=True, slots=True)
class Provider:
    """An identity provider, and the address of ours to which it sends people back."""

    issuer: str
    client_id: str
    client_secret: str
    label: str
    addresses_are_verified: bool
    back_to: str

    def begin(self, asked: str) -> tuple[str, Errand]:
        """Where to send the person, and what to remember; raises `Unreachable`."""
        metadata = self._metadata()
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        errand = Errand(state, nonce, verifier, asked)
        with self._session() as session:
            address, _ = session.create_authorization_url(
                metadata["authorization_endpoint"],
                state=errand.state,
                nonce=errand.nonce,
                code_verifier=errand.verifier,
            )
        return address, errand

    def finish(self, errand: Errand, state: str, code: str) -> Identity:
        """Who came back; raises `Unreachable` or `NotProven`."""
        if not code or not hmac.compare_digest(errand.state.encode(), state.encode()):
            raise NotProven("La réponse ne répond pas à une demande de ce navigateur : recommencez.")
        metadata = self._metadata()
        with self._session() as session:
            token = _asked(lambda: self._exchange(session, metadata, code, errand))
            keys = _keys(
                _json(_asked(lambda: session.get(metadata["jwks_uri"], withhold_token=True, **LIMITS)))
            )
            claims = self._claims(token, keys, metadata, errand)
            if "email" not in claims and "userinfo_endpoint" in metadata:
                claims = claims | self._told(session, keys, metadata, claims["sub"])
        verified = claims.get("email_verified", self.addresses_are_verified) is True
        email = str(claims.get("email") or "").strip().lower()
        return Identity(metadata["issuer"], str(claims["sub"]), email if verified and email else None)

    def _session(self) -> OAuth2Session:
        return OAuth2Session(
            self.client_id,
            self.client_secret,
            scope="openid email profile",
            redirect_uri=self.back_to,
            code_challenge_method="S256",
            default_timeout=(CONNECT_S, ANSWER_S),
        )

    def _metadata(self) -> dict[str, Any]:
        address = f"{self.issuer}/.well-known/openid-configuration"
        with self._session() as session:
            found = _json(_asked(lambda: session.get(address, withhold_token=True, **LIMITS)))
        if str(found.get("issuer", "")).rstrip("/") != self.issuer:
            raise Unreachable("Le fournisseur d'identité ne se nomme pas comme attendu.")
        for name in ENDPOINTS:
            if name in found and _origin(str(found[name])) != _origin(self.issuer):
                raise Unreachable("Le fournisseur d'identité renvoie ailleurs que chez lui.")
        if any(name not in found for name in ENDPOINTS[:3]):
            raise Unreachable("Le fournisseur d'identité ne dit pas comment on l'interroge.")
        return found

    def _exchange(
        self, session: OAuth2Session, metadata: dict[str, Any], code: str, errand: Errand
    ) -> dict[str, Any]:
        token: dict[str, Any] = session.fetch_token(
            metadata["token_endpoint"],
            code=code,
            code_verifier=errand.verifier,
            grant_type="authorization_code",
            allow_redirects=False,
        )
        return token

    def _claims(
        self, token: dict[str, Any], keys: KeySet, metadata: dict[str, Any], errand: Errand
    ) -> dict[str, Any]:
        try:
            read = jwt.decode(str(token.get("id_token", "")), keys, registry=_registry())
            claims = CodeIDToken(
                read.claims,
                read.header,
                {"iss": {"values": [metadata["issuer"]]}, "aud": {"values": [self.client_id]}},
                {
                    "nonce": errand.nonce,
                    "client_id": self.client_id,
                    "access_token": token.get("access_token"),
                },
            )
            claims.validate(leeway=LEEWAY_S)
        except (JoseError, AuthlibBaseError, ValueError):
            raise NotProven("La preuve du fournisseur d'identité n'est pas valable, ou plus.") from None
        return dict(claims)

    def _told(
        self, session: OAuth2Session, keys: KeySet, metadata: dict[str, Any], subject: str
    ) -> dict[str, Any]:
        """What the provider says of the person, as JSON or as a signed text."""
        answer = _asked(lambda: session.get(metadata["userinfo_endpoint"], **LIMITS))
        if "application/jwt" not in answer.headers.get("Content-Type", ""):
            told = _json(answer)
        else:
            try:
                told = jwt.decode(answer.text.strip(), keys, registry=_registry()).claims
            except (JoseError, ValueError):
                raise NotProven("La preuve du fournisseur d'identité n'est pas valable, ou plus.") from None
        if told.get("sub") != subject:
            raise NotProven("Le fournisseur d'identité parle de quelqu'un d'autre.")
        return {name: told[name] for name in ("email", "email_verified") if name in told}


def account_behind(session: Session, identity: Identity) -> int:
    """The account of a person that the provider knows; raises `NotProven` where none may be opened."""
    account = session.scalars(
        select(p.Account)
        .where(p.Account.oidc_issuer == identity.issuer, p.Account.oidc_subject == identity.subject)
        .with_for_update()
    ).one_or_none()
    if account is None:
        account = _first_time(session, identity)
    if account.disabled_at is not None:
        raise NotProven("Votre compte est désactivé : adressez-vous à un administrateur de la console.")
    return account.account_id


def _first_time(session: Session, identity: Identity) -> p.Account:
    if identity.email is None:
        raise NotProven("Le fournisseur d'identité ne donne pas d'adresse vérifiée pour vous.")
    found = session.scalars(
        select(p.Account)
        .where(or_(p.Account.email == identity.email, p.Account.login == identity.email))
        .with_for_update()
    ).all()
    if len(found) != 1:
        raise NotProven(
            "Aucun compte n'a l'adresse %(email)s : demandez à un administrateur d'en ouvrir un.",
            email=identity.email,
        )
    account = found[0]
    if account.oidc_subject is not None:
        raise NotProven("Ce compte est lié à une autre identité : un administrateur peut l'en délier.")
    account.oidc_issuer, account.oidc_subject = identity.issuer, identity.subject
    return account


def _asked(ask: Callable[[], Answer]) -> Answer:
    try:
        return ask()
    except AuthlibBaseError:
        raise NotProven("Le fournisseur d'identité n'a pas confirmé la connexion.") from None
    except RequestException:
        raise Unreachable("Le fournisseur d'identité ne répond pas : réessayez dans un moment.") from None


def _json(answer: Response) -> dict[str, Any]:
    try:
        found = answer.json() if answer.ok and len(answer.content) <= LONGEST_ANSWER else None
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Unreachable("Le fournisseur d'identité ne répond pas comme attendu.")
    return found


def _keys(found: Any) -> KeySet:
    try:
        return KeySet.import_key_set(found)
    except (JoseError, KeyError, TypeError, ValueError):
        raise Unreachable("Le fournisseur d'identité ne répond pas comme attendu.") from None


def _registry() -> JWSRegistry:
    return JWSRegistry(algorithms=SIGNATURES, strict_check_header=False)


def _origin(address: str) -> tuple[str, str]:
    url = urlsplit(address)
    return url.scheme, url.netloc
