"""The service-operations console: it decides, stores and shows."""
