"""Hosting facts: what is unknown, what is none, and what contradicts itself."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.errors import Invalid
from console.domain.hosting import (
    EEA,
    Activity,
    HostingFacts,
    Subcontractor,
    Transfers,
    check_facts,
    facts_on,
    outside_eea,
    read_subcontractors,
    write_subcontractors,
)

DAY = date(2026, 1, 1)
AMERICAN = Subcontractor("Cloud Inc.", "US", "support")


def test_the_framework_has_six_activities_and_the_area_thirty_countries() -> None:
    assert [activity.value for activity in Activity] == [1, 2, 3, 4, 5, 6]
    assert len(EEA) == 30
    assert {"FR", "IS", "LI", "NO"} <= EEA
    assert not {"GB", "CH", "US"} & EEA


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        (HostingFacts(DAY), "country"),
        (HostingFacts(DAY, country="France"), "country"),
        (HostingFacts(DAY, transfers=Transfers.SOME), "transfer_details"),
        (HostingFacts(DAY, transfers=Transfers.SOME, transfer_details="Support"), "transfer_details"),
        (HostingFacts(DAY, transfers=Transfers.NONE, legal_basis="Clauses types"), "transfers"),
        (HostingFacts(DAY, transfer_details="Support"), "transfers"),
        (HostingFacts(DAY, reversibility_days=3651), "reversibility_days"),
    ],
)
def test_facts_that_do_not_hold_are_refused_at_their_field(facts: HostingFacts, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        check_facts(facts)
    assert refused.value.field == field


@pytest.mark.parametrize(
    "facts",
    [
        HostingFacts(DAY, country="FR"),
        HostingFacts(DAY, activities=[]),
        HostingFacts(DAY, subcontractors=[]),
        HostingFacts(DAY, transfers=Transfers.SOME, transfer_details="Support", legal_basis="Clauses types"),
    ],
)
def test_one_fact_is_enough_and_none_is_a_fact(facts: HostingFacts) -> None:
    check_facts(facts)


def test_a_subcontractor_from_elsewhere_is_looked_at_until_a_transfer_tells_of_it() -> None:
    french = Subcontractor("Maintenance SA", "FR", "maintenance")
    facts = HostingFacts(DAY, subcontractors=[french, AMERICAN])
    assert outside_eea(facts) == [AMERICAN]
    assert outside_eea(replace(facts, transfers=Transfers.NONE)) == [AMERICAN]
    assert outside_eea(replace(facts, transfers=Transfers.SOME)) == []
    assert outside_eea(HostingFacts(DAY)) == []


def test_the_last_statement_that_has_begun_holds() -> None:
    first, second = HostingFacts(DAY, country="FR"), HostingFacts(date(2026, 6, 1), country="FR")
    assert facts_on([second, first], date(2025, 12, 31)) is None
    assert facts_on([second, first], date(2026, 5, 31)) is first
    assert facts_on([second, first], date(2026, 6, 1)) is second


@pytest.mark.parametrize("line", ["Cloud Inc.", "Cloud Inc. ; USA ; support", "; FR ; support", "Cloud ; FR"])
def test_a_line_that_names_no_subcontractor_is_told_with_its_number(line: str) -> None:
    with pytest.raises(Invalid, match="Ligne 2"):
        read_subcontractors(f"Maintenance SA ; FR ; maintenance\n{line}")


WORDS = st.text("abé -.", min_size=1, max_size=9).map(str.strip).filter(bool)


@given(st.lists(st.builds(Subcontractor, WORDS, st.sampled_from(["FR", "US"]), WORDS)))
def test_what_is_written_is_read_again(subcontractors: list[Subcontractor]) -> None:
    assert read_subcontractors(write_subcontractors(subcontractors)) == subcontractors
