"""What screens and reports read: one module each, frozen rows out."""
