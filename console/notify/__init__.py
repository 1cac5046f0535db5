"""What leaves the console: a letter goes through a channel, which says what became of it."""
