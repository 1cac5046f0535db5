"""Numbers of patients in a free text."""

import pytest

from console.domain.patient_data import patient_numbers


@pytest.mark.parametrize(
    "text",
    [
        "dossier 185057800608436 bloqué",
        "NIR 1 85 05 78 006 084 36",
        "1850578006084",
        "2.85.12.2A.006.084.36",
        "ipp : 00123456",
        "IPP n°123456",
    ],
)
def test_what_looks_like_a_patients_number_is_found(text: str) -> None:
    assert len(patient_numbers(text)) == 1


@pytest.mark.parametrize(
    "text",
    [
        "Paie de novembre en retard",
        "FINESS 010000024",
        "SIRET 26010004500012",
        "SIREN 260100045",
        "appel au 05 61 00 00 00 le 25/11/2026 09:30",
        "erreur 0x80070005, ticket 1234567",
    ],
)
def test_other_numbers_are_left_alone(text: str) -> None:
    assert patient_numbers(text) == []
