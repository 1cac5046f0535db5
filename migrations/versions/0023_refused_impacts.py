"""A match of a thing with a manufacturer's sheet can be refused: who did, and when."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("embodied_impact", sa.Column("refused_by", sa.String(length=200), nullable=True))
    op.add_column("embodied_impact", sa.Column("refused_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    # What is lost: who refused what, so that it waits again.
    with op.batch_alter_table("embodied_impact") as batch_op:
        batch_op.drop_column("refused_at")
        batch_op.drop_column("refused_by")
