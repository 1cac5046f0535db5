"""What the console keeps: models by subject, sessions with a scope, queries by screen."""
