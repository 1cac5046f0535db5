"""The process that holds CodeCarbon: reads numbers on its input, answers each with the energy so far.

    {"ready": true}                          once, when it measures
    {"asked": 3, "energy_mj": 812345}        to the line "3"
    {"reason": "..."}                        instead, where there is nothing to give

It ends at the end of its input, so that it never outlives the agent. CodeCarbon swallows what goes wrong in
it: a total that does not come is the sign, and the first exception it logged the reason.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from codecarbon.output_methods.emissions_data import EmissionsData

MJ_PER_KWH = 3_600_000_000
LONGEST_REASON = 300


class Complaint(logging.Handler):
    """Keeps the first exception that a logger was given: those after it follow from it."""

    text = "it did not say why"
    _settled = False

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info and not self._settled:
            self.text, self._settled = str(record.exc_info[1]), True


class Nothing(Exception):
    """CodeCarbon gave no figure."""


def main() -> None:
    """Start CodeCarbon and answer until the end of the input."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM, signal.SIGINT})
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    def answer(fields: dict[str, Any]) -> None:
        answers.write(json.dumps(fields) + "\n")
        answers.flush()

    try:
        meter = Meter()
        meter.total_mj()
        answer({"ready": True})
        for line in sys.stdin:
            answer({"asked": int(line), "energy_mj": meter.total_mj()})
    except (Nothing, ImportError) as reason:
        answer({"reason": str(reason)[:LONGEST_REASON]})
    except BrokenPipeError:
        pass  # the agent has ended
    os._exit(0)  # its threads are not waited for


class Meter:
    """A running tracker and the total of its last flush.

    It measures when asked only: its own timer, set to a day, would measure meanwhile in another thread.
    """

    def __init__(self) -> None:
        from codecarbon import OfflineEmissionsTracker
        from codecarbon.output_methods.base_output import BaseOutput

        class Output(BaseOutput):
            """Receives the totals at each flush."""

            total: EmissionsData | None = None

            def out(self, total: EmissionsData, delta: EmissionsData) -> None:
                self.total = total

        self._output = Output()
        self._complaint = Complaint(logging.WARNING)
        logging.getLogger("codecarbon").addHandler(self._complaint)
        self._tracker = OfflineEmissionsTracker(
            country_iso_code="FRA",
            allow_multiple_runs=True,
            measure_power_secs=86_400,
            api_call_interval=-1,
            output_methods=[],
            output_handlers=[self._output],
            emissions_endpoint=None,
            electricitymaps_api_token=None,
            tracking_mode="machine",
            pue=1.0,
            wue=0.0,
            log_level="warning",
        )
        self._tracker.start()

    def total_mj(self) -> int:
        """The energy since the start, without the facility's; raises `Nothing` where there is none."""
        self._output.total = None
        self._tracker.flush()
        if self._output.total is None:
            raise Nothing(f"codecarbon gave no figure: {self._complaint.text}")
        return round(self._output.total.energy_consumed * MJ_PER_KWH)


if __name__ == "__main__":
    main()
