"""`console audit`: is the log of what was done as it was written?"""

from __future__ import annotations

import click

from console.cli.prepared import prepared
from console.domain.audit import ChainCheck
from console.store.queries import audit
from console.store.session import Operator

group = click.Group("audit", help="The log of who did what.")


@group.command("verify")
@click.option("--adherent", type=int, help="Number of the one adherent to check; default: all of them.")
def verify(adherent: int | None) -> None:
    """Compute every chain again and name the first entry that does not fit; exit status 1 if there is one."""
    with prepared().read(Operator()) as session:
        audit.hold_still(session)
        if adherent is None:
            found = dict(audit.verify_every(session))
        elif adherent in audit.chains(session):
            found = {adherent: audit.verify(session, adherent)}
        else:
            raise click.ClickException(f"adherent {adherent} has no audit log")
    for number, check in found.items():
        click.echo(line_of(number, check))
    raise SystemExit(1 if any(check.fault for check in found.values()) else 0)


def line_of(tenant_id: int, check: ChainCheck) -> str:
    """What there is to say of a chain."""
    told = f"adherent {tenant_id}: {check.entries} entries, {check.purged} purged, {check.redacted} redacted"
    return f"{told}; entry {check.fault.number} {check.fault.reason}" if check.fault else f"{told}; holds"
