"""The tables, by plane and by subject; importing this package registers them all."""

from console.store.models import audit, catalogue, coordination, measurement, offer, people, tenant

__all__ = ["audit", "catalogue", "coordination", "measurement", "offer", "people", "tenant"]
