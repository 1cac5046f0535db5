"""Sharing a whole number without losing or making a unit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

Key = TypeVar("Key", bound=str | int | tuple[object, ...])


def apportion(total: int, weights: Mapping[Key, int]) -> dict[Key, int]:
    """Split `total` in proportion to `weights`; the parts add up to it exactly.

    Largest remainder (Hamilton): each key gets its quota rounded down, then the units left over go one each
    to the largest remainders, ties by key. `total` and the weights are at least 0 and the weights do not all
    vanish, unless `total` is 0; anything else is a `ValueError`.
    """
    if total < 0 or any(weight < 0 for weight in weights.values()):
        raise ValueError("a total and its weights are at least 0")
    whole = sum(weights.values())
    if whole == 0:
        if total:
            raise ValueError("nothing to share the total by")
        return dict.fromkeys(weights, 0)
    parts = {key: total * weight // whole for key, weight in weights.items()}
    left = total - sum(parts.values())
    by_remainder = sorted(weights, key=lambda key: (-(total * weights[key] % whole), key))
    for key in by_remainder[:left]:
        parts[key] += 1
    return parts
