"""The tables, by plane and by subject; importing this package registers them all."""

from console.store.models import audit, catalogue, coordination, follow_up, measurement, offer, people, tenant

__all__ = ["audit", "catalogue", "coordination", "follow_up", "measurement", "offer", "people", "tenant"]
