"""The rules of the field: values in, decisions out; no clock, no environment, no database."""
