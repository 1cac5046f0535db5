"""The page of an incident: what it is, its timeline, its files and its review, for those who may."""

import io
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from console.actions.attachments import attach
from console.actions.comments import add_comment
from console.domain.access import Role
from console.store.models import audit as a
from console.store.models import coordination as k
from console.store.models import incident as i
from console.store.models import signals as s
from console.store.models import tenant as t
from console.store.session import Database, Operator
from tests import given
from tests.browser import Browser, fields_of

SignIn = Callable[..., Browser]
FOIX, PAMIERS = 11, 12
NOW = datetime.now(UTC).replace(microsecond=0)
HOUR = timedelta(hours=1)
PAGE = f"/adherents/{FOIX}/incidents/1"


@pytest.fixture
def desk(database: Database) -> Database:
    with database.write(Operator()) as session:
        given.an_adherent(session, FOIX, "CH de Foix")
        given.an_adherent(session, PAMIERS, "CH de Pamiers")
        given.a_subscription(session, FOIX, "hds-iaas")
        given.a_subscription(session, FOIX, "payroll")
        given.an_incident(session, FOIX, "Paie lente", "P3", 2, NOW - HOUR)
        for shared in (False, True):
            text, name = f"Écrit {shared}", f"fichier-{shared}.txt"
            add_comment(session, FOIX, 1, text, shared=shared, now=NOW, by="ops")
            attach(session, FOIX, 1, name, text.encode(), shared=shared, now=NOW, by="ops")
    return database


def incident(database: Database) -> t.Incident:
    with database.read(Operator()) as session:
        return session.get_one(t.Incident, (FOIX, 1))


def test_a_cio_declares_an_incident_in_plain_words_and_follows_it(desk: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.CIO, FOIX)
    form = browser.get(f"/adherents/{FOIX}/incidents/new").text
    assert 'name="impact"' in form
    assert 'name="priority"' not in form
    assert "Le service est-il utilisable" in form
    typed = {"title": "Paie arrêtée", "subscription": "2", "impact": "2", "urgency": "1", "priority": "P5"}
    answer = browser.submit(
        f"/adherents/{FOIX}/incidents", **typed, effect="degraded", description="Depuis ce matin"
    )
    assert answer.status_code == 303
    with desk.read(Operator()) as session:
        row = session.get_one(t.Incident, (FOIX, 2))
    assert (row.origin, row.priority, row.description) == ("adherent", "P1", "Depuis ce matin")
    assert row.effect == "degraded"
    assert "Depuis ce matin" in browser.get(answer.location).text
    assert browser.submit(f"/adherents/{FOIX}/incidents", **typed | {"impact": ""}).status_code == 422


def test_a_cio_reads_what_is_shared_alone(desk: Database, sign_in_as: SignIn) -> None:
    page = sign_in_as(Role.CIO, FOIX).get(PAGE).text
    assert "Écrit True" in page
    assert "Écrit False" not in page
    assert "fichier-False" not in page
    assert "interne" not in page
    everything = sign_in_as(Role.OPS).get(PAGE).text
    assert "Écrit False" in everything
    assert "fichier-False" in everything
    cio = sign_in_as(Role.CIO, FOIX)
    assert [cio.get(f"{PAGE}/files/{file}").status_code for file in (1, 2)] == [404, 200]


def test_what_a_cio_writes_is_shared(desk: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.CIO, FOIX)
    assert browser.submit(f"{PAGE}/comments", text="Toujours en panne").status_code == 303
    with desk.read(Operator()) as session:
        comment = session.get_one(i.Comment, (FOIX, 1, 3))
    assert (comment.is_shared, comment.text) == (True, "Toujours en panne")
    for address in ("particulars", "review", "actions", "redact", "comments/3/redact"):
        assert browser.submit(f"{PAGE}/{address}").status_code == 403


def test_a_comment_is_internal_unless_it_is_shared(desk: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.OPS)
    browser.submit(f"{PAGE}/comments", text="Entre nous")
    browser.submit(f"{PAGE}/comments", text="Pour vous", shared="yes")
    with desk.read(Operator()) as session:
        shared = session.scalars(select(i.Comment.is_shared).order_by(i.Comment.number)).all()
    assert shared[2:] == [False, True]


def test_a_comment_that_seems_to_name_a_patient_must_be_confirmed(desk: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.OPS)
    refused = browser.submit(f"{PAGE}/comments", text="Dossier 185057800608436")
    assert refused.status_code == 422
    assert "185057800608436</textarea>" in refused.text
    assert (
        browser.submit(f"{PAGE}/comments", text="Dossier 185057800608436", confirmed="yes").status_code == 303
    )
    assert browser.submit(f"{PAGE}/comments", text=" ").status_code == 422


def test_a_file_is_sent_to_be_kept_and_runs_nothing(desk: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.OPS)
    page = (io.BytesIO(b"<script>alert(1)</script>"), "page.html")
    assert browser.submit(f"{PAGE}/files", file=page, shared="yes").status_code == 303
    answer = browser.get(f"{PAGE}/files/3")
    assert answer.mimetype == "text/plain"
    assert answer.headers["Content-Disposition"] == "attachment; filename=page.html.txt"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_file_of_another_kind_is_told_beside_its_field(desk: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.OPS)
    answer = browser.submit(f"{PAGE}/files", file=(io.BytesIO(b"MZ\x90\x00\x03"), "releve.pdf"))
    assert answer.status_code == 422
    assert 'id="file-error"' in answer.text
    assert browser.submit(f"{PAGE}/files").status_code == 422


def test_the_particulars_are_told_anew_and_logged(desk: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.OPS)
    told = {"impact": "1", "urgency": "1", "effect": "outage", "security": "yes", "touches": "3"}
    told |= {"seen-priority": "P3"}
    assert browser.submit(f"{PAGE}/particulars", **told).status_code == 303
    row = incident(desk)
    assert (row.priority, row.effect, row.is_security) == ("P1", "outage", True)
    page = browser.get(PAGE).text
    assert re.search(r"Priorité</b> : P3 → P1", page)
    assert re.search(r"Effet sur le service</b> : inconnu → arrêté", page)
    assert browser.submit(f"{PAGE}/particulars", impact="9").status_code == 422
    late = browser.submit(f"{PAGE}/particulars", category="network", since="2100-01-01T00:00")
    assert late.status_code == 422
    assert 'id="since-error"' in late.text


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"nom;numero\nSerrano;1 85 05 78 006 084 36\n", "liste.csv"),
        ("numéro IPP 123456".encode("cp1252"), "note.txt"),
        (b"%PDF-1.4 nothing", "IPP_123456.pdf"),
    ],
)
def test_a_file_that_seems_to_name_a_patient_must_be_confirmed(
    desk: Database, sign_in_as: SignIn, content: bytes, name: str
) -> None:
    browser = sign_in_as(Role.OPS)
    refused = browser.submit(f"{PAGE}/files", file=(io.BytesIO(content), name), shared="yes")
    assert (refused.status_code, 'name="confirmed"' in refused.text) == (422, True)
    assert "Choisissez à nouveau le fichier" in refused.text
    sent = {"file": (io.BytesIO(content), name), "confirmed": "yes"}
    assert browser.submit(f"{PAGE}/files", **sent).status_code == 303


def test_the_page_names_the_service_its_contract_and_the_tickets_of_the_desk(
    desk: Database, sign_in_as: SignIn
) -> None:
    with desk.write(Operator()) as session:
        session.get_one(t.Subscription, (FOIX, 2)).contract = "M-18"
        session.add(
            s.DeskTicket(
                tenant_id=FOIX,
                desk="itop",
                external_id="R-004512",
                incident=1,
                told={},
                comments=[],
                told_at=NOW,
            )
        )
    page = sign_in_as(Role.OPS).get(PAGE).text
    for said in ("M-18", "itop", "R-004512"):
        assert said in page


def test_what_a_cio_does_is_posted_to_those_on_watch(desk: Database, app: Flask, sign_in_as: SignIn) -> None:
    app.extensions["console"] = replace(
        app.extensions["console"], sender_domain="console.example", alert_recipients=("ops@console.example",)
    )
    browser = sign_in_as(Role.CIO, FOIX)
    typed = {"title": "Paie arrêtée", "subscription": "2", "impact": "2", "urgency": "1"}
    assert browser.submit(f"/adherents/{FOIX}/incidents", **typed).status_code == 303
    sign_in_as(Role.OPS).submit(f"/adherents/{FOIX}/incidents/2/events", kind="waiting")
    assert browser.submit(f"/adherents/{FOIX}/incidents/2/comments", text="Voici").status_code == 303
    with desk.read(Operator()) as session:
        mails = session.scalars(select(k.Delivery).order_by(k.Delivery.delivery_id)).all()
    assert [("déclare" in mail.subject, "répondu" in mail.subject) for mail in mails] == [
        (True, False),
        (False, True),
    ]


def retold(browser: Browser, **typed: object) -> dict[str, object]:
    """The form of the incident as it is now, once somebody typed."""
    return browser.filled_in(PAGE, f"{PAGE}/particulars", **typed)


def test_an_old_form_changes_only_what_was_changed_in_it(desk: Database, sign_in_as: SignIn) -> None:
    anne, paul = sign_in_as(Role.OPS), sign_in_as(Role.ADMINISTRATOR)
    old = retold(paul, category="network")
    told = retold(anne, priority="P1", effect="outage", security="yes", touches="3")
    assert anne.submit(f"{PAGE}/particulars", **told).status_code == 303
    assert paul.submit(f"{PAGE}/particulars", **old).status_code == 303
    row = incident(desk)
    assert (row.priority, row.effect, row.is_security) == ("P1", "outage", True)
    assert row.category == "network"
    page = paul.get(PAGE).text
    assert page.count("</b> : ") == 4
    assert 'name="touches" value="3" checked' in page


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"priority": "P1"}, {"priority": "P4"}),
        ({"priority": "P1"}, {"impact": "4", "urgency": "4"}),
        ({"effect": "outage"}, {"effect": "none"}),
        ({"touches": "3"}, {"touches": "4"}),
    ],
)
def test_of_two_who_change_the_same_the_second_is_told(
    desk: Database, sign_in_as: SignIn, first: dict[str, str], second: dict[str, str]
) -> None:
    with desk.write(Operator()) as session:
        given.a_subscription(session, FOIX, "training")
    anne, paul = sign_in_as(Role.OPS), sign_in_as(Role.ADMINISTRATOR)
    old = retold(paul, **second, category="network")
    assert anne.submit(f"{PAGE}/particulars", **retold(anne, **first)).status_code == 303
    before = incident(desk)
    refused = paul.submit(f"{PAGE}/particulars", **old)
    assert refused.status_code == 409
    assert "Modifié entre-temps" in refused.text
    row = incident(desk)
    assert (row.priority, row.effect, row.category) == (before.priority, before.effect, None)
    again = fields_of(refused.text, f"{PAGE}/particulars")
    for field, value in (second | {"category": "network"}).items():
        assert again[field] == [value]
    assert paul.submit(f"{PAGE}/particulars", **again).status_code == 303
    assert incident(desk).category == "network"


def test_what_two_people_tell_alike_is_no_clash(desk: Database, sign_in_as: SignIn) -> None:
    anne, paul = sign_in_as(Role.OPS), sign_in_as(Role.ADMINISTRATOR)
    forms = [retold(one, security="yes", priority="P1") for one in (anne, paul)]
    assert anne.submit(f"{PAGE}/particulars", **forms[0]).status_code == 303
    assert paul.submit(f"{PAGE}/particulars", **forms[1]).status_code == 303
    assert incident(desk).priority == "P1"


def test_a_message_is_written_from_a_template(desk: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.OPS)
    page = browser.get(PAGE).text
    number = re.search(r'<option value="(\d+)">Prise en charge', page)
    assert number is not None
    draft = browser.get(f"{PAGE}?template={number[1]}").text
    assert "Votre incident n° 1 « Paie lente »" in draft
    assert browser.get(f"{PAGE}?template=99999").status_code == 404
    assert "Votre incident" not in sign_in_as(Role.CIO, FOIX).get(f"{PAGE}?template={number[1]}").text


def test_templates_are_kept_by_an_administrator(desk: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.ADMINISTRATOR)
    typed = {"name": "Accueil", "text_fr": "Bonjour {numero}", "text_en": "Hello {numero}"}
    wrong = browser.submit("/incidents/templates/new", **typed | {"text_en": "Hello {name}"})
    assert wrong.status_code == 422
    assert 'id="text_en-error"' in wrong.text
    assert browser.submit("/incidents/templates/new", **typed).status_code == 303
    page = browser.get("/incidents/templates").text
    assert "Bonjour {numero}" in page
    address = re.findall(r'action="(/incidents/templates/\d+)/retire"', page)[0]
    assert browser.get(address).status_code == 200
    form = browser.filled_in(address, address, text_fr="Bonjour, {numero}")
    assert browser.submit(address, **form).status_code == 303
    stale = browser.submit(address, **form | {"text_fr": "Bonsoir {numero}"})
    assert (stale.status_code, "Bonsoir {numero}</textarea>" in stale.text) == (409, True)
    again = fields_of(stale.text, address)
    patient = {"text_fr": "Bonsoir, dossier 185057800608436"}
    refused = browser.submit(address, **again | patient)
    assert (refused.status_code, 'name="confirmed"' in refused.text) == (422, True)
    assert browser.submit(address, **again | patient, confirmed="yes").status_code == 303
    assert browser.submit(f"{address}/retire").status_code == 303
    assert browser.get(address).status_code == 404
    assert sign_in_as(Role.OPS).submit("/incidents/templates/new", **typed).status_code == 403


def test_a_review_and_its_actions_are_written_once_it_is_resolved(desk: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.OPS)
    assert browser.submit(f"{PAGE}/review", cause="Disque").status_code == 409
    browser.submit(f"{PAGE}/events", kind="resolved")
    assert "Écrire la revue" in browser.get(PAGE).text
    assert browser.submit(f"{PAGE}/review", cause=" ").status_code == 422
    assert browser.submit(f"{PAGE}/review", cause="Disque plein").status_code == 303
    stale = browser.submit(f"{PAGE}/review", cause="Autre cause")
    assert stale.status_code == 409
    assert "Autre cause</textarea>" in stale.text
    action = {"action": "Poser une sonde", "in_charge": "L. Petit", "due_on": "2020-01-31"}
    assert browser.submit(f"{PAGE}/actions", **action | {"due_on": "demain"}).status_code == 422
    assert browser.submit(f"{PAGE}/actions", **action).status_code == 303
    assert "Disque plein" not in sign_in_as(Role.CIO, FOIX).get(PAGE).text
    listed = browser.get("/incidents/actions").text
    assert "Poser une sonde" in listed
    assert "en retard" in listed
    assert browser.submit(f"{PAGE}/actions/1", deed="done").status_code == 303
    assert "Poser une sonde" not in browser.get("/incidents/actions").text


def test_an_administrator_redacts_what_should_not_have_been_written(
    desk: Database, sign_in_as: SignIn
) -> None:
    browser = sign_in_as(Role.ADMINISTRATOR)
    for address in ("redact", "comments/2/redact", "files/2/redact"):
        assert browser.submit(f"{PAGE}/{address}").status_code == 303
    page = browser.get(PAGE).text
    assert "Paie lente" not in page
    assert "Écrit True" not in page
    assert "fichier-True" not in page
    assert browser.get(f"{PAGE}/files/2").status_code == 404


def test_the_audit_log_repeats_none_of_the_texts_that_may_be_redacted(
    desk: Database, sign_in_as: SignIn
) -> None:
    browser = sign_in_as(Role.ADMINISTRATOR)
    browser.submit(f"{PAGE}/events", kind="resolved")
    action = {"action": "Rappeler Mme Serrano", "in_charge": "L. Petit", "due_on": "2027-01-31"}
    assert browser.submit(f"{PAGE}/actions", **action).status_code == 303
    for address in ("redact", "files/2/redact"):
        assert browser.submit(f"{PAGE}/{address}").status_code == 303
    with desk.read(Operator()) as session:
        log = "".join(session.scalars(select(a.AuditPayload.payload)))
    for text in ("Paie lente", "fichier-True", "Serrano", "Petit"):
        assert text not in log
    page = browser.get(f"/adherents/{FOIX}/audit?what=incident").text
    assert "titre : contenu modifié" in page.replace("\u00a0", " ")


def test_nothing_of_it_is_there_for_another_adherent(desk: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.CIO, PAMIERS)
    for address in (PAGE, f"{PAGE}/files/2"):
        assert browser.get(address).status_code == 404
    assert browser.submit(f"{PAGE}/comments", text="x").status_code == 404
