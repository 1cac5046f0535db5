"""What the perimeters, components and fates of emission factors are called, in the language of the reader."""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import lazy_gettext
from flask_babel.speaklater import LazyString

Words = Mapping[str, str | LazyString]
PERIMETERS: Words = {
    "consumption_life_cycle": lazy_gettext("mix de consommation, cycle de vie"),
    "production_life_cycle": lazy_gettext("mix de production, cycle de vie"),
    "production_direct": lazy_gettext("mix de production, émissions directes"),
    "residual_mix": lazy_gettext("mix résiduel"),
}
BASES: Words = {
    "yearly_average": lazy_gettext("moyenne annuelle"),
    "hourly_direct": lazy_gettext("horaire, émissions directes"),
    "market_based": lazy_gettext("selon les contrats"),
}
FACT_NAMES: Words = {
    "vintage": lazy_gettext("Année"),
    "value": lazy_gettext("Valeur"),
    "low": lazy_gettext("Borne basse"),
    "high": lazy_gettext("Borne haute"),
    "combustion": lazy_gettext("Combustion"),
    "upstream": lazy_gettext("Amont"),
    "losses": lazy_gettext("Pertes"),
    "publisher": lazy_gettext("Éditeur"),
    "title": lazy_gettext("Titre"),
    "perimeter": lazy_gettext("Périmètre"),
    "geography": lazy_gettext("Territoire"),
    "licence": lazy_gettext("Licence"),
    "source": lazy_gettext("Source"),
    "valid_from": lazy_gettext("Vaut à partir du"),
    "valid_to": lazy_gettext("Ne vaut plus à partir du"),
}
REASONS: Words = {  # why an element of the Base Carbone is left out
    "not_electricity": lazy_gettext("n'est pas de l'électricité"),
    "not_a_factor": lazy_gettext("n'est pas un facteur d'émission"),
    "status": lazy_gettext("archivé, refusé ou propre à un cas : seul « valide générique » est pris"),
    "unit": lazy_gettext("n'est pas en kgCO2e/kWh"),
    "not_the_grid": lazy_gettext("n'est pas un mix du réseau"),
    "by_use": lazy_gettext("est d'un seul usage, comme le chauffage"),
    "no_year": lazy_gettext("ne dit pas son année"),
    "no_boundary": lazy_gettext("ne dit pas s'il est de la production ou de la consommation"),
    "place": lazy_gettext("est d'un territoire qui n'est pas reconnu"),
}
