"""One module a screen; strangers to each other."""
