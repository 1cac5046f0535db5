"""Who may sign in, what they were given, and what programs show."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations.protection import allow, hold_rows

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    _widen_accounts()
    _widen_sign_ins()
    _make_recovery_codes()
    _make_delegations()
    _make_invitations()
    _make_api_tokens()


def downgrade() -> None:
    _restore_collector_tokens()
    for table in ("invitation", "delegated_adherent", "delegation", "recovery_code"):
        op.drop_table(table)
    op.execute("DELETE FROM sign_in WHERE NOT proven")
    with op.batch_alter_table("sign_in") as batch_op:
        for column in ("method", "proven", "software", "network"):
            batch_op.drop_column(column)
    _narrow_accounts()


def _widen_accounts() -> None:
    op.create_table(
        "account_use",
        sa.Column("account_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("failures", sa.SmallInteger(), nullable=False),
        sa.Column("locked_until", INSTANT, nullable=True),
        sa.Column("last_seen_at", INSTANT, nullable=True),
        sa.Column("last_totp_step", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_account_use")),
    )
    allow("account_use")
    op.execute(
        "INSERT INTO account_use (account_id, failures, locked_until, last_seen_at) "
        "SELECT account_id, failures, locked_until, last_seen_at FROM account"
    )
    with op.batch_alter_table("account") as batch_op:
        for column in ("failures", "locked_until", "last_seen_at"):
            batch_op.drop_column(column)
        batch_op.add_column(sa.Column("email", sa.String(length=200), nullable=True))
        batch_op.add_column(
            sa.Column("password_allowed", sa.Boolean(), nullable=False, server_default=sa.true())
        )
        batch_op.add_column(sa.Column("totp_secret", sa.String(length=200), nullable=True))
        batch_op.add_column(sa.Column("oidc_issuer", sa.String(length=200), nullable=True))
        batch_op.add_column(sa.Column("oidc_subject", sa.String(length=255), nullable=True))
        batch_op.add_column(sa.Column("disabled_at", INSTANT, nullable=True))
        batch_op.create_unique_constraint(batch_op.f("uq_account_email"), ["email"])
        batch_op.create_unique_constraint(
            batch_op.f("uq_account_oidc_issuer_oidc_subject"), ["oidc_issuer", "oidc_subject"]
        )
    op.execute("UPDATE account SET email = login WHERE login LIKE '%_@_%'")


def _narrow_accounts() -> None:
    with op.batch_alter_table("account") as batch_op:
        batch_op.add_column(sa.Column("failures", sa.SmallInteger(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("locked_until", INSTANT, nullable=True))
        batch_op.add_column(sa.Column("last_seen_at", INSTANT, nullable=True))
        batch_op.drop_constraint(batch_op.f("uq_account_oidc_issuer_oidc_subject"), type_="unique")
        batch_op.drop_constraint(batch_op.f("uq_account_email"), type_="unique")
        for column in (
            *("email", "password_allowed", "totp_secret"),
            *("oidc_issuer", "oidc_subject", "disabled_at"),
        ):
            batch_op.drop_column(column)
    for column in ("failures", "locked_until", "last_seen_at"):
        op.execute(
            f"UPDATE account SET {column} = (SELECT {column} FROM account_use u "  # noqa: S608 - our names
            "WHERE u.account_id = account.account_id) WHERE account_id IN (SELECT account_id FROM account_use)"
        )
    with op.batch_alter_table("account") as batch_op:
        batch_op.alter_column("failures", existing_type=sa.SmallInteger(), server_default=None)
    op.drop_table("account_use")


def _widen_sign_ins() -> None:
    with op.batch_alter_table("sign_in") as batch_op:
        batch_op.add_column(sa.Column("method", sa.String(40), nullable=False, server_default="password"))
        batch_op.add_column(sa.Column("proven", sa.Boolean(), nullable=False, server_default=sa.true()))
        batch_op.add_column(sa.Column("software", sa.String(length=200), nullable=True))
        batch_op.add_column(sa.Column("network", sa.String(length=64), nullable=True))


def _make_recovery_codes() -> None:
    op.create_table(
        "recovery_code",
        sa.Column("code_sha256", sa.String(length=64), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("used_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("code_sha256", name=op.f("pk_recovery_code")),
    )
    op.create_index(op.f("ix_recovery_code_account_id"), "recovery_code", ["account_id"])
    allow("recovery_code")


def _make_delegations() -> None:
    op.create_table(
        "delegation",
        sa.Column("delegation_id", BIG, nullable=False),
        sa.Column("giver_id", BIG, nullable=False),
        sa.Column("taker_id", BIG, nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("made_by", sa.String(length=200), nullable=False),
        sa.Column("made_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(
            ["giver_id"], ["account.account_id"], name=op.f("fk_delegation_giver_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["taker_id"], ["account.account_id"], name=op.f("fk_delegation_taker_id_account")
        ),
        sa.PrimaryKeyConstraint("delegation_id", name=op.f("pk_delegation")),
    )
    op.create_index(op.f("ix_delegation_giver_id"), "delegation", ["giver_id"])
    op.create_index(op.f("ix_delegation_taker_id"), "delegation", ["taker_id"])
    allow("delegation")
    op.create_table(
        "delegated_adherent",
        sa.Column("delegation_id", BIG, nullable=False),
        sa.Column("tenant_id", BIG, nullable=False),
        sa.ForeignKeyConstraint(
            ["delegation_id"],
            ["delegation.delegation_id"],
            name=op.f("fk_delegated_adherent_delegation_id_delegation"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["adherent.tenant_id"], name=op.f("fk_delegated_adherent_tenant_id_adherent")
        ),
        sa.PrimaryKeyConstraint("delegation_id", "tenant_id", name=op.f("pk_delegated_adherent")),
    )
    op.create_index(op.f("ix_delegated_adherent_tenant_id"), "delegated_adherent", ["tenant_id"])
    hold_rows("delegated_adherent", web="SELECT")


def _make_invitations() -> None:
    op.create_table(
        "invitation",
        sa.Column("invitation_id", BIG, nullable=False),
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("email", sa.String(length=200), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("role", sa.String(40), nullable=False),
        sa.Column("tenants", sa.JSON(), nullable=False),
        sa.Column("invited_by", sa.String(length=200), nullable=False),
        sa.Column("invited_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("used_at", INSTANT, nullable=True),
        sa.Column("withdrawn_at", INSTANT, nullable=True),
        sa.Column("delivery_id", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("invitation_id", name=op.f("pk_invitation")),
        sa.UniqueConstraint("token_sha256", name=op.f("uq_invitation_token_sha256")),
    )
    op.create_index(op.f("ix_invitation_email"), "invitation", ["email"])
    allow("invitation")


def _make_api_tokens() -> None:
    op.create_table(
        "api_token",
        sa.Column("token_id", BIG, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("previous_sha256", sa.String(length=64), nullable=True),
        sa.Column("previous_until", INSTANT, nullable=True),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("every_adherent", sa.Boolean(), nullable=False),
        sa.Column("tenants", sa.JSON(), nullable=False),
        sa.Column("hosts", sa.JSON(), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=True),
        sa.Column("revoked_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("token_id", name=op.f("pk_api_token")),
        sa.UniqueConstraint("name", name=op.f("uq_api_token_name")),
        sa.UniqueConstraint("token_sha256", name=op.f("uq_api_token_token_sha256")),
        sa.UniqueConstraint("previous_sha256", name=op.f("uq_api_token_previous_sha256")),
    )
    allow("api_token")
    op.create_table(
        "api_token_use",
        sa.Column("token_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("last_used_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("token_id", name=op.f("pk_api_token_use")),
    )
    allow("api_token_use")
    # What agents show keeps working: any host, no adherent to read.
    op.execute(
        "INSERT INTO api_token (name, token_sha256, scopes, every_adherent, tenants, hosts, created_by, "
        "created_at, revoked_at) SELECT name, token_sha256, '[\"readings:write\"]', true, '[]', '[]', "
        "'console', created_at, revoked_at FROM collector_token"
    )
    op.drop_table("collector_token")


def _restore_collector_tokens() -> None:
    op.create_table(
        "collector_token",
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("revoked_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("token_sha256", name=op.f("pk_collector_token")),
        sa.UniqueConstraint("name", name=op.f("uq_collector_token_name")),
    )
    allow("collector_token")
    op.execute(
        "INSERT INTO collector_token (token_sha256, name, created_at, revoked_at) "
        "SELECT token_sha256, name, created_at, revoked_at FROM api_token "
        "WHERE CAST(scopes AS VARCHAR) LIKE '%\"readings:write\"%'"
    )
    op.drop_table("api_token_use")
    op.drop_table("api_token")
