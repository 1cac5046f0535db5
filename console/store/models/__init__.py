"""The tables, one module for each plane; importing this package registers them all."""

from console.store.models import catalogue, coordination, measurement, tenant

__all__ = ["catalogue", "coordination", "measurement", "tenant"]
