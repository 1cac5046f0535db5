"""What tests ask of any source."""

from __future__ import annotations

import time

from collectors.instrument import Energy, Missing, Source

PATIENCE_S = 10.0


def read_as_it_goes(source: Source) -> Energy | Missing:
    """Started, read once to begin a span, and once more a little later; the second answer."""
    source.start()
    deadline_s = time.monotonic() + PATIENCE_S
    while not source.ready():
        assert time.monotonic() < deadline_s, f"{source.name} does not get ready"
        time.sleep(0.01)
    assert isinstance(source.read(), Missing)
    time.sleep(0.1)
    answer = source.read()
    source.close()
    return answer
