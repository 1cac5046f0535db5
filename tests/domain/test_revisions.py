"""Two people at one form: what each changed is kept, or the second is told."""

import pytest

from console.domain.revisions import Stale, changed_fields, check_version, fingerprint


@pytest.mark.parametrize(
    ("typed", "seen", "present", "changed"),
    [
        ("a", "a", "a", False),
        ("a", "a", "b", False),
        ("b", "a", "a", True),
        ("b", "a", "b", True),
    ],
)
def test_a_field_is_told_where_the_person_changed_it(
    typed: str, seen: str, present: str, changed: bool
) -> None:
    found = changed_fields({"field": typed}, {"field": seen}, {"field": present})
    assert found == ({"field"} if changed else set())


def test_a_field_that_two_people_changed_apart_is_stale() -> None:
    with pytest.raises(Stale):
        changed_fields({"field": "b", "other": 1}, {"field": "a", "other": 1}, {"field": "c", "other": 1})


def test_a_fingerprint_is_the_version_of_what_has_none() -> None:
    check_version(fingerprint("a", (1,)), fingerprint("a", (1,)))
    for seen in (None, "", fingerprint("a", (2,))):
        with pytest.raises(Stale):
            check_version(seen, fingerprint("a", (1,)))
