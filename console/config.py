"""The only reader of the environment; a wrong value stops the start with its name."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

SECRET_BYTES = 32
LOOPBACK = ("localhost", "127.0.0.1", "::1")


class BadConfiguration(Exception):
    """A setting that cannot be used; the message is one line that names it."""


@dataclass(frozen=True, slots=True)
class Smtp:
    """Where mail goes out; `security` is plain, starttls or tls."""

    host: str
    port: int
    security: str
    user: str | None
    password: str | None
    sender: str


@dataclass(frozen=True, slots=True)
class Oidc:
    """Who signs people in for us (OpenID Connect); `label` is what its button says."""

    issuer: str
    client_id: str
    client_secret: str
    label: str
    addresses_are_verified: bool


@dataclass(frozen=True, slots=True)
class Config:
    """Everything that depends on the place of installation."""

    var: Path
    database_url: str
    port: int
    public_url: str
    secret_key: str
    secure_cookies: bool
    smtp: Smtp | None
    alert_recipients: tuple[str, ...]
    silent_after_s: int
    audit_keep_months: int
    require_totp: bool
    rate_limit_storage: str
    trusted_proxies: int
    oidc: Oidc | None
    ingest_at_once: int
    ingest_hours_behind: int


def read_config(environ: Mapping[str, str] | None = None) -> Config:
    """Read the `CONSOLE_*` settings; raises `BadConfiguration`."""
    env = os.environ if environ is None else environ
    var = Path(env.get("CONSOLE_VAR", "var")).absolute()
    _make_writable(var)
    port = _whole(env, "CONSOLE_PORT", 8000, 1, 65535)
    public_url = env.get("CONSOLE_PUBLIC_URL", f"http://127.0.0.1:{port}").rstrip("/")
    if urlsplit(public_url).scheme not in ("http", "https"):
        raise BadConfiguration(f"CONSOLE_PUBLIC_URL: {public_url!r} is not an http or https address")
    return Config(
        var=var,
        database_url=env.get("CONSOLE_DATABASE_URL", f"sqlite:///{var / 'console.db'}"),
        port=port,
        public_url=public_url,
        secret_key=env.get("CONSOLE_SECRET_KEY") or _kept_secret(var / "secret_key"),
        secure_cookies=public_url.startswith("https://"),
        smtp=_smtp(env),
        alert_recipients=tuple(a.strip() for a in env.get("CONSOLE_ALERTS_TO", "").split(",") if a.strip()),
        silent_after_s=_whole(env, "CONSOLE_SILENT_AFTER_S", 180, 1, 86_400),
        audit_keep_months=_whole(env, "CONSOLE_AUDIT_KEEP_MONTHS", 12, 1, 1200),
        require_totp=_yes_or_no(env, "CONSOLE_REQUIRE_TOTP", public_url.startswith("https://")),
        rate_limit_storage=env.get("CONSOLE_RATE_LIMIT_STORAGE") or "memory://",
        trusted_proxies=_whole(env, "CONSOLE_TRUSTED_PROXIES", 0, 0, 9),
        oidc=_oidc(env),
        ingest_at_once=_whole(env, "CONSOLE_INGEST_AT_ONCE", 8, 1, 256),
        ingest_hours_behind=_whole(env, "CONSOLE_INGEST_HOURS_BEHIND", 20_000, 1, 10_000_000),
    )


def _make_writable(var: Path) -> None:
    try:
        var.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise BadConfiguration(f"CONSOLE_VAR: {var} cannot be made: {error.strerror}") from None
    if not os.access(var, os.W_OK | os.X_OK):
        raise BadConfiguration(f"CONSOLE_VAR: {var} cannot be written")


def _whole(env: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    text = env.get(name, str(default))
    if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
        raise BadConfiguration(f"{name}: {text!r} is not a whole number from {least} to {most}")
    return int(text)


def _yes_or_no(env: Mapping[str, str], name: str, default: bool) -> bool:
    text = env.get(name, "")
    if text not in ("", "yes", "no"):
        raise BadConfiguration(f"{name}: {text!r} is neither yes nor no")
    return default if not text else text == "yes"


def _kept_secret(path: Path) -> str:
    """The secret that signs forms, made once and kept out of everyone else's sight."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_hex(SECRET_BYTES))
    return path.read_text().strip()


def _smtp(env: Mapping[str, str]) -> Smtp | None:
    text = env.get("CONSOLE_SMTP_URL", "")
    if not text:
        return None
    url = urlsplit(text)
    security = {"smtp": "plain", "smtp+starttls": "starttls", "smtps": "tls"}.get(url.scheme)
    if security is None or not url.hostname:
        raise BadConfiguration(
            "CONSOLE_SMTP_URL: expected smtp://host:port, smtp+starttls://user:password@host:port or smtps://..."
        )
    return Smtp(
        host=url.hostname,
        port=url.port or {"plain": 25, "starttls": 587, "tls": 465}[security],
        security=security,
        user=url.username,
        password=url.password,
        sender=env.get("CONSOLE_MAIL_FROM", "console-inr@localhost"),
    )


def _oidc(env: Mapping[str, str]) -> Oidc | None:
    issuer = env.get("CONSOLE_OIDC_ISSUER", "").rstrip("/")
    if not issuer:
        return None
    url = urlsplit(issuer)
    if not url.hostname or (url.scheme != "https" and url.hostname not in LOOPBACK):
        raise BadConfiguration(f"CONSOLE_OIDC_ISSUER: {issuer!r} is not an https address")
    client_id = env.get("CONSOLE_OIDC_CLIENT_ID", "")
    if not client_id:
        raise BadConfiguration("CONSOLE_OIDC_CLIENT_ID: the issuer knows the console by a name; give it")
    return Oidc(
        issuer=issuer,
        client_id=client_id,
        client_secret=_secret_in(env, "CONSOLE_OIDC_CLIENT_SECRET_FILE"),
        label=env.get("CONSOLE_OIDC_LABEL") or url.hostname,
        addresses_are_verified=_yes_or_no(env, "CONSOLE_OIDC_ADDRESSES_ARE_VERIFIED", False),
    )


def _secret_in(env: Mapping[str, str], name: str) -> str:
    path = env.get(name, "")
    try:
        secret = Path(path).read_text().strip() if path else ""
    except (OSError, UnicodeError) as error:
        raise BadConfiguration(f"{name}: {path} cannot be read: {error}") from None
    if not secret:
        raise BadConfiguration(f"{name}: a file that holds the secret is expected")
    return secret
