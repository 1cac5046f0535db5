"""The browser's side of the console."""
