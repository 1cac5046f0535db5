"""The reports: functions of figures, without database or web framework."""
