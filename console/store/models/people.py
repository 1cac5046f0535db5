"""Those who sign in or send data, and what they were given: accounts, delegations, invitations, tokens.

What changes at each use (failures, last use) has tables of its own, so that the audit log holds decisions.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import ForeignKey, String, UniqueConstraint, true
from sqlalchemy.orm import Mapped, mapped_column

from console.domain.access import Method, Role
from console.store.base import BigId, CatalogueRow, Code, CoordinationRow, Count, Label, OwnedRow, Small


class Account(CatalogueRow):
    """A person who may sign in; `totp_secret` is sealed with the key of the console."""

    __tablename__ = "account"
    __table_args__ = (UniqueConstraint("oidc_issuer", "oidc_subject"),)
    audited: ClassVar[bool] = True
    hidden: ClassVar[frozenset[str]] = frozenset({"password_hash", "totp_secret"})
    account_id: Mapped[BigId]
    login: Mapped[Label] = mapped_column(unique=True)
    name: Mapped[Label]
    email: Mapped[Label | None] = mapped_column(unique=True)
    role: Mapped[Role]
    password_hash: Mapped[Label]
    must_change_password: Mapped[bool]
    password_allowed: Mapped[bool] = mapped_column(default=True, server_default=true())
    locale: Mapped[Code | None]  # None: that of the browser
    totp_secret: Mapped[Label | None]
    oidc_issuer: Mapped[Label | None]
    oidc_subject: Mapped[str | None] = mapped_column(String(255))  # its longest, by the standard
    disabled_at: Mapped[datetime | None]


class AccountUse(CoordinationRow):
    """Attempts to sign in to an account: failures in a row, and the last code, which opens nothing again."""

    __tablename__ = "account_use"
    account_id: Mapped[Count] = mapped_column(primary_key=True, autoincrement=False)
    failures: Mapped[Small] = mapped_column(default=0)
    locked_until: Mapped[datetime | None]
    last_seen_at: Mapped[datetime | None]
    last_totp_step: Mapped[Count | None]


class RecoveryCode(CoordinationRow):
    """What replaces a code of the second factor once; kept as a hash."""

    __tablename__ = "recovery_code"
    code_sha256: Mapped[Code] = mapped_column(primary_key=True)
    account_id: Mapped[Count] = mapped_column(index=True)
    used_at: Mapped[datetime | None]


class SignIn(CoordinationRow):
    """A signed-in browser; the cookie holds the token, the row its hash.

    Until `proven` it only opens the form that asks for the second factor. `network` is the address without
    its last part.
    """

    __tablename__ = "sign_in"
    token_sha256: Mapped[Code] = mapped_column(primary_key=True)
    account_id: Mapped[Count] = mapped_column(index=True)
    method: Mapped[Method] = mapped_column(default=Method.PASSWORD, server_default=Method.PASSWORD.value)
    proven: Mapped[bool] = mapped_column(default=True, server_default=true())
    software: Mapped[Label | None]
    network: Mapped[Code | None]
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class Portfolio(OwnedRow, CatalogueRow):
    """An adherent that an account may see."""

    __tablename__ = "portfolio"
    audited: ClassVar[bool] = True
    account_id: Mapped[int] = mapped_column(ForeignKey("account.account_id"), primary_key=True)
    tenant_id: Mapped[int] = mapped_column(ForeignKey("adherent.tenant_id"), primary_key=True)


class Delegation(CatalogueRow):
    """A part of a portfolio handed to a colleague, from the first to the last day in the operator's zone."""

    __tablename__ = "delegation"
    audited: ClassVar[bool] = True
    delegation_id: Mapped[BigId]
    giver_id: Mapped[int] = mapped_column(ForeignKey("account.account_id"), index=True)
    taker_id: Mapped[int] = mapped_column(ForeignKey("account.account_id"), index=True)
    first_day: Mapped[date]
    last_day: Mapped[date]
    made_by: Mapped[Label]
    made_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]  # before its last day, by a decision


class DelegatedAdherent(OwnedRow, CatalogueRow):
    """An adherent of a delegation; it counts as long as the giver has it too."""

    __tablename__ = "delegated_adherent"
    audited: ClassVar[bool] = True
    delegation_id: Mapped[int] = mapped_column(ForeignKey("delegation.delegation_id"), primary_key=True)
    tenant_id: Mapped[int] = mapped_column(ForeignKey("adherent.tenant_id"), primary_key=True, index=True)


class Invitation(CoordinationRow):
    """A link that makes an account once; kept as a hash."""

    __tablename__ = "invitation"
    audited: ClassVar[bool] = True
    hidden: ClassVar[frozenset[str]] = frozenset({"token_sha256"})
    invitation_id: Mapped[BigId]
    token_sha256: Mapped[Code] = mapped_column(unique=True)
    email: Mapped[Label] = mapped_column(index=True)
    name: Mapped[Label]
    role: Mapped[Role]
    tenants: Mapped[list[Any]]
    invited_by: Mapped[Label]
    invited_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]
    delivery_id: Mapped[Count | None]


class ApiToken(CoordinationRow):
    """What a program shows; kept as a hash. After a rotation the text before still opens for a while.

    `tenants` counts where not `every_adherent`; `hosts` are beginnings of host names, none for any host.
    """

    __tablename__ = "api_token"
    audited: ClassVar[bool] = True
    hidden: ClassVar[frozenset[str]] = frozenset({"token_sha256", "previous_sha256"})
    token_id: Mapped[BigId]
    name: Mapped[Label] = mapped_column(unique=True)
    token_sha256: Mapped[Code] = mapped_column(unique=True)
    previous_sha256: Mapped[Code | None] = mapped_column(unique=True)
    previous_until: Mapped[datetime | None]
    scopes: Mapped[list[Any]]
    every_adherent: Mapped[bool]
    tenants: Mapped[list[Any]]
    hosts: Mapped[list[Any]]
    created_by: Mapped[Label]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class ApiTokenUse(CoordinationRow):
    """When a token was last shown, to the minute."""

    __tablename__ = "api_token_use"
    token_id: Mapped[Count] = mapped_column(primary_key=True, autoincrement=False)
    last_used_at: Mapped[datetime]
