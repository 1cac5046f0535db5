"""The catalogue of a generated past has versions, hosting facts, specimens and an offer that ends."""

import io
from datetime import timedelta

import pytest
from pypdf import PdfReader
from sqlalchemy import select

from console.store.models import offer as o
from console.store.models import tenant as t
from console.store.queries.campaigns import campaigns
from console.store.session import Operator
from tests.actions.generating.generated import SMALL, Past

pytestmark = pytest.mark.both_databases


def test_the_catalogue_is_not_empty(past: Past) -> None:
    database = past.database
    with database.read(Operator()) as session:
        (campaign,) = campaigns(session)
        assert campaign.successor is not None
        assert campaign.support_ends_on is not None
        assert campaign.support_ends_on > SMALL.until
        assert {row.stated_by for row in session.scalars(select(o.HostingStatement))} == {"données générées"}
        versions = set(session.execute(select(o.ServiceVersion.service_code, o.ServiceVersion.version)).all())
        taken = set(
            session.execute(select(t.Subscription.service_code, t.Subscription.service_version)).all()
        )
        named = {(code, version) for code, version in taken if version is not None}
        assert named
        assert named <= versions


def test_a_certificate_says_of_itself_that_it_is_a_specimen(past: Past) -> None:
    database = past.database
    with database.read(Operator()) as session:
        certificates = session.scalars(select(o.Certificate).order_by(o.Certificate.valid_to)).all()
        assert (
            certificates[0].valid_to - SMALL.until
            < timedelta(days=90)
            < certificates[1].valid_to - SMALL.until
        )
        for certificate in certificates:
            (page,) = PdfReader(io.BytesIO(certificate.content), strict=True).pages
            assert "SPECIMEN SANS VALEUR" in page.extract_text()
            assert "SPÉCIMEN" in certificate.name
