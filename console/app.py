"""Puts the parts of the web process together."""

from __future__ import annotations

import sys
from dataclasses import asdict
from datetime import timedelta

from flask import Flask
from flask_wtf.csrf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

from console.actions.sealing import Seal
from console.actions.single_sign_on import Provider
from console.config import BadConfiguration, Config, read_config
from console.notify.channels.mail import domain_of
from console.store.roles import UnsafeRole
from console.store.session import Database
from console.web import (
    access,
    addresses,
    adherent_words,
    adherents_api,
    alertmanager_api,
    api,
    assets,
    cookies,
    errors,
    fleet_words,
    fragments,
    generated,
    headers,
    health,
    incident_words,
    incidents_api,
    inputs,
    languages,
    presentation,
    rate_limit,
    volumes_api,
)
from console.web.intake import Intake
from console.web.pages import (
    account,
    adherent,
    adherents,
    alert_routes,
    api_tokens,
    audit,
    calendar_feed,
    calendars,
    carbon,
    carbon_months,
    carbon_trace,
    catalogue,
    certificates,
    claims,
    cmdb,
    comments,
    committees,
    contacts,
    contracts,
    criticalities,
    delegations,
    directory,
    duties,
    energy,
    equipment,
    equipment_age,
    equipment_files,
    equipment_form,
    equipment_proposals,
    explanations,
    factor_files,
    factors,
    facts,
    ght,
    grids,
    host,
    hosting,
    hosts,
    incident_list,
    incident_report,
    incidents,
    invitations,
    live_power,
    maintenance,
    major_incidents,
    matrix,
    message_templates,
    methodology,
    notes,
    offering,
    overview,
    people,
    plans,
    portfolio,
    probes,
    quarantine,
    reconciliation,
    regulatory_rules,
    reviews,
    sci,
    second_factor,
    service_levels,
    shared_claims,
    sharing,
    sign_in,
    single_sign_on,
    site_contracts,
    site_pools,
    sites,
    statements,
    status,
    subscription,
    tasks,
    volumes,
    workloads,
)
from console.web.state import State

BLUEPRINTS = (
    api.bp,
    adherents_api.bp,
    volumes_api.bp,
    incidents_api.bp,
    alertmanager_api.bp,
    assets.bp,
    health.bp,
    sign_in.bp,
    single_sign_on.bp,
    invitations.bp,
    account.bp,
    second_factor.bp,
    delegations.bp,
    people.bp,
    api_tokens.bp,
    overview.bp,
    adherents.bp,
    adherent.bp,
    facts.bp,
    contacts.bp,
    notes.bp,
    committees.bp,
    tasks.bp,
    portfolio.bp,
    status.bp,
    subscription.bp,
    claims.bp,
    contracts.bp,
    volumes.bp,
    shared_claims.bp,
    directory.bp,
    ght.bp,
    incident_list.bp,
    incidents.bp,
    explanations.bp,
    incident_report.bp,
    comments.bp,
    reviews.bp,
    message_templates.bp,
    probes.bp,
    major_incidents.bp,
    maintenance.bp,
    calendar_feed.bp,
    duties.bp,
    alert_routes.bp,
    energy.bp,
    sites.bp,
    site_contracts.bp,
    site_pools.bp,
    equipment.bp,
    equipment_age.bp,
    equipment_files.bp,
    equipment_form.bp,
    equipment_proposals.bp,
    factors.bp,
    carbon.bp,
    carbon_months.bp,
    carbon_trace.bp,
    sci.bp,
    methodology.bp,
    factor_files.bp,
    grids.bp,
    cmdb.bp,
    hosts.bp,
    host.bp,
    live_power.bp,
    workloads.bp,
    reconciliation.bp,
    quarantine.bp,
    service_levels.bp,
    statements.bp,
    catalogue.bp,
    sharing.bp,
    offering.bp,
    hosting.bp,
    criticalities.bp,
    calendars.bp,
    matrix.bp,
    plans.bp,
    regulatory_rules.bp,
    certificates.bp,
    audit.bp,
)
DOORS = (  # of programs: their token, which no browser sends by itself, is the credential
    adherents_api.bp,
    api.bp,
    volumes_api.bp,
    incidents_api.bp,
    alertmanager_api.bp,
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
        require_totp=config.require_totp,
        seal=Seal(config.secret_key, "web"),
        sender_domain=domain_of(config.smtp.sender) if config.smtp else None,
        alert_recipients=config.alert_recipients,
        provider=_provider(config),
        intake=Intake(config.var / "intake", config.ingest_at_once, config.ingest_hours_behind),
    )
    app.config.update(
        SECRET_KEY=config.secret_key,
        SESSION_COOKIE_NAME=cookies.cookie_name(config.public_url, "form"),
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=config.secure_cookies,
        MAX_CONTENT_LENGTH=LARGEST_FORM,
        WTF_CSRF_TIME_LIMIT=None,
    )
    addresses.install(app)
    fragments.install(app)
    languages.install(app)
    presentation.install(app)
    adherent_words.install(app)
    incident_words.install(app)
    fleet_words.install(app)
    errors.install(app)
    app.before_request(inputs.refuse_nul)
    generated.install(app)
    app.before_request(access.gate)  # before CSRF: an expired session matters more than its stale form
    csrf = CSRFProtect(app)
    for door in DOORS:
        csrf.exempt(door)
    app.after_request(headers.pack)
    app.after_request(headers.protect)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    _limit(app, config)
    access.check_every_view(app)
    return app


def _provider(config: Config) -> Provider | None:
    """Who signs people in for us, and where it sends them back."""
    if config.oidc is None:
        return None
    return Provider(**asdict(config.oidc), back_to=f"{config.public_url}/sign-in/back")


def _limit(app: Flask, config: Config) -> None:
    """Count failures by address, as far as the proxies in front of us tell it."""
    if config.trusted_proxies:
        count = config.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count)  # type: ignore[method-assign]
    try:
        rate_limit.install(app, config.rate_limit_storage)
    except rate_limit.UnusableCounter as error:
        raise BadConfiguration(f"CONSOLE_RATE_LIMIT_STORAGE: {error}") from None
