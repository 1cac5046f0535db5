"""The programs of PostgreSQL are found, and what goes wrong with them is one line."""

import pytest
from sqlalchemy import make_url

from console.store.postgres_programs import ProgramFailed, ProgramMissing, find, run

pytestmark = pytest.mark.postgres


def test_a_program_that_is_new_enough_is_found() -> None:
    assert find("pg_dump", 15).name == "pg_dump"


@pytest.mark.parametrize(
    ("name", "oldest", "have"), [("pg_dump", 99, "is here"), ("pg_nothing", 15, "none is here")]
)
def test_one_that_is_missing_or_too_old_is_told_with_its_remedy(name: str, oldest: int, have: str) -> None:
    with pytest.raises(ProgramMissing) as told:
        find(name, oldest)
    assert have in str(told.value)
    assert f"apt install postgresql-client-{oldest}" in str(told.value)


def test_what_a_program_says_is_one_line_without_the_password(tmp_path: object) -> None:
    url = make_url(f"postgresql://console:s3cret@/none?host={tmp_path}")
    with pytest.raises(ProgramFailed) as told:
        run(find("pg_dump", 15), url, "--schema-only")
    assert "\n" not in str(told.value)
    assert "pg_dump: " in str(told.value)
    assert "s3cret" not in str(told.value)
