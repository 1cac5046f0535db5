"""Dice that fall the same way for the same seed and the same thing, and numbers drawn from a distribution."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import TypeVar

Choice = TypeVar("Choice")
Ranked = TypeVar("Ranked", bound=str | int)


def dice(seed: int, *thing: object) -> Random:
    """Dice of one thing; a text seeds them, so the hash of a Python process has no part in it."""
    return Random("/".join(map(str, (seed, *thing))))  # noqa: S311 - it is to be guessed


def drawn(rng: Random, quantiles: Sequence[int]) -> float:
    """A number from a distribution told by its evenly spaced quantiles, straight between them."""
    place = rng.random() * (len(quantiles) - 1)
    low = int(place)
    return quantiles[low] + (quantiles[low + 1] - quantiles[low]) * (place - low)


def weighted(rng: Random, weights: Mapping[Choice, int]) -> Choice:
    """One of the choices, each as likely as its weight."""
    return rng.choices(list(weights), weights=list(weights.values()))[0]


def uneven(seed: int, subject: str, keys: Sequence[Ranked], spread: float) -> dict[Ranked, int]:
    """Weights of a long tail, by key, for sharing a total: a few are large, most are small."""
    return {key: 1 + int(1000 * dice(seed, subject, key).lognormvariate(0, spread)) for key in keys}
