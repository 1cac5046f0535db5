"""How long an answer takes, how long is left, and what kind of failure a failed connection is."""

from __future__ import annotations

import ssl
import time
from dataclasses import dataclass, field

from console.domain.probes import Answer, Fault

SHORTEST_S = 0.001  # a socket whose time-out is 0 would not wait at all
LONGEST_DETAIL = 200


@dataclass(frozen=True, slots=True)
class Stopwatch:
    """Runs from its making."""

    timeout_s: float
    began_s: float = field(default_factory=time.monotonic)

    @property
    def took_ms(self) -> int:
        return round((time.monotonic() - self.began_s) * 1000)

    def left_s(self) -> float:
        """The time that is left; raises `TimeoutError` when there is none."""
        left_s = self.began_s + self.timeout_s - time.monotonic()
        if left_s <= 0:
            raise TimeoutError
        return max(left_s, SHORTEST_S)

    def bad(self, fault: Fault, detail: str) -> Answer:
        """A bad answer, now."""
        return Answer(fault, self.took_ms, " ".join(detail.split())[:LONGEST_DETAIL])

    def failed(self, error: OSError) -> Answer:
        """The answer that a failed connection is."""
        if isinstance(error, ssl.SSLCertVerificationError):
            return self.bad(Fault.CERTIFICATE, error.verify_message)
        if isinstance(error, TimeoutError):
            return self.bad(Fault.TIMED_OUT, "")
        return self.bad(Fault.UNREACHABLE, error.strerror or str(error) or type(error).__name__)
