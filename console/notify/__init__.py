"""How messages leave the console: one file a channel."""
