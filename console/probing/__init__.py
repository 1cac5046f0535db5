"""Asks a service from outside whether it runs: one file for each way of asking, listed here."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from console.domain.probes import Answer, ProbeKind, Question
from console.probing.http import ask_http
from console.probing.tcp import ask_tcp

Asker = Callable[[Question], Answer]
ASKERS: Mapping[ProbeKind, Asker] = {ProbeKind.HTTP: ask_http, ProbeKind.TCP: ask_tcp}


def ask(question: Question) -> Answer:
    """Ask once; every failure is an answer. It takes the time-out of the question at most, or little more."""
    return ASKERS[question.kind](question)
