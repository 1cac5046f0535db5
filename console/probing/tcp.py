"""TCP: the port takes a connection."""

from __future__ import annotations

import socket

from console.domain.probes import Answer, Question, split_target
from console.probing.stopwatch import Stopwatch


def ask_tcp(question: Question) -> Answer:
    """Connect and hang up."""
    watch = Stopwatch(question.timeout_s)
    try:
        with socket.create_connection(split_target(question.target), timeout=watch.left_s()):
            return Answer(None, watch.took_ms)
    except OSError as error:
        return watch.failed(error)
