"""`console routes`: which addresses the console answers."""

from __future__ import annotations

import click

from console.app import create_app


@click.command("routes")
def routes() -> None:
    """List the addresses of the console, with their methods and the views that answer."""
    rules = sorted(create_app().url_map.iter_rules(), key=lambda rule: rule.rule)
    for rule in rules:
        click.echo(f"{','.join(sorted(rule.methods or ())):26} {rule.rule:64} {rule.endpoint}")
