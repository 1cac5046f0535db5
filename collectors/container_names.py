"""The names of containers, where a file of their runtime tells them to who knows their id.

    /var/log/containers/POD_NAMESPACE_CONTAINER-ID.log    Kubernetes; the name of the file says it all
    /var/lib/docker/containers/ID/config.v2.json          Docker; its `Name` alone is taken

The second holds the environment and the arguments of the container as well: nothing else of it is kept.
Where neither can be read the container has no name here, and rules that ask for one do not hold.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

LARGEST_CONFIG = 4 << 20
LOG = re.compile(
    r"(?P<pod>[a-z0-9.-]+)_(?P<namespace>[a-z0-9-]+)_(?P<container>[a-z0-9.-]+)-(?P<id>[0-9a-f]{64})\.log"
)


@dataclass(frozen=True, slots=True)
class Named:
    """What a container is called, and `NAMESPACE/POD` for one of Kubernetes."""

    container: str | None = None
    pod: str | None = None


class ContainerNames:
    """Looks a container up by its id of 64 digits."""

    def __init__(self, logs: Path, docker: Path) -> None:
        self._logs = logs
        self._docker = docker

    def of(self, container_id: str) -> Named:
        """What its files call it now."""
        for path in self._logs.glob(f"*-{container_id}.log"):
            if match := LOG.fullmatch(path.name):
                return Named(match["container"], f"{match['namespace']}/{match['pod']}")
        return Named(container=self._docker_name(container_id))

    def _docker_name(self, container_id: str) -> str | None:
        try:
            with (self._docker / container_id / "config.v2.json").open("rb") as file:
                name = json.loads(file.read(LARGEST_CONFIG))["Name"]
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None
        return name.lstrip("/") or None if isinstance(name, str) else None
