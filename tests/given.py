"""The past, told in phrases: what tests start from."""

from __future__ import annotations

from datetime import UTC, datetime

NOW = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)
