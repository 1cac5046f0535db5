"""Puts the parts of the web process together."""

from __future__ import annotations

import sys
from datetime import timedelta

from flask import Flask
from flask_wtf.csrf import CSRFProtect

from console.config import BadConfiguration, Config, read_config
from console.store.roles import UnsafeRole
from console.store.session import Database
from console.web import (
    access,
    addresses,
    api,
    assets,
    errors,
    fragments,
    headers,
    health,
    inputs,
    languages,
    presentation,
)
from console.web.pages import (
    account,
    adherent,
    adherents,
    audit,
    catalogue,
    certificates,
    claims,
    criticalities,
    energy,
    hosting,
    incidents,
    offering,
    overview,
    sign_in,
    statements,
    subscription,
)
from console.web.state import State

BLUEPRINTS = (
    api.bp,
    assets.bp,
    health.bp,
    sign_in.bp,
    account.bp,
    overview.bp,
    adherents.bp,
    adherent.bp,
    subscription.bp,
    claims.bp,
    incidents.bp,
    energy.bp,
    statements.bp,
    catalogue.bp,
    offering.bp,
    hosting.bp,
    criticalities.bp,
    certificates.bp,
    audit.bp,
)
LARGEST_FORM = 1024 * 1024  # bytes
GIVES_UP = 3  # the exit status of a worker after which gunicorn does not start another


def serve() -> Flask:
    """The application for a WSGI server; one line and the end of the process where it cannot be made."""
    try:
        return create_app()
    except (BadConfiguration, UnsafeRole) as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(GIVES_UP) from None


def create_app(config: Config | None = None) -> Flask:
    """The application; reads the environment where no configuration is given.

    Raises `BadConfiguration`, `UnsafeRole` where the database would not keep adherents apart, or
    `UnclassifiedView` where a view does not say whom it is for.
    """
    config = config or read_config()
    database = Database(config.database_url)
    database.check_at_start()
    app = Flask("console.web", static_folder=None)
    app.extensions["console"] = State(
        database=database,
        public_url=config.public_url,
        secure=config.secure_cookies,
        silent_after=timedelta(seconds=config.silent_after_s),
    )
    app.config.update(
        SECRET_KEY=config.secret_key,
        SESSION_COOKIE_NAME="form",
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=config.secure_cookies,
        MAX_CONTENT_LENGTH=LARGEST_FORM,
        WTF_CSRF_TIME_LIMIT=None,
    )
    addresses.install(app)
    fragments.install(app)
    languages.install(app)
    presentation.install(app)
    errors.install(app)
    app.before_request(inputs.refuse_nul)
    app.before_request(access.gate)  # before CSRF: an expired session matters more than its stale form
    CSRFProtect(app).exempt(api.bp)
    app.after_request(headers.pack)
    app.after_request(headers.protect)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    access.check_every_view(app)
    return app
