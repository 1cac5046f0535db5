"""Settings: a value that cannot be used stops the start with its name."""

from pathlib import Path

import pytest

from console.config import BadConfiguration, read_config


@pytest.fixture
def secret(tmp_path: Path) -> str:
    file = tmp_path / "oidc.secret"
    file.write_text("a secret\n")
    return str(file)


def test_a_second_factor_is_asked_for_over_https_and_offered_on_this_machine(tmp_path: Path) -> None:
    base = {"CONSOLE_VAR": str(tmp_path)}
    over_https = base | {"CONSOLE_PUBLIC_URL": "https://console.example"}
    assert not read_config(base).require_totp
    assert read_config(over_https).require_totp
    assert read_config(base | {"CONSOLE_REQUIRE_TOTP": "yes"}).require_totp
    assert not read_config(over_https | {"CONSOLE_REQUIRE_TOTP": "no"}).require_totp


def test_an_identity_provider_is_read_with_its_secret_from_a_file(tmp_path: Path, secret: str) -> None:
    env = {
        "CONSOLE_VAR": str(tmp_path),
        "CONSOLE_OIDC_ISSUER": "https://id.example/realms/inr/",
        "CONSOLE_OIDC_CLIENT_ID": "console",
        "CONSOLE_OIDC_CLIENT_SECRET_FILE": secret,
    }
    oidc = read_config(env).oidc
    assert oidc is not None
    assert (oidc.issuer, oidc.client_secret, oidc.label) == (
        "https://id.example/realms/inr",
        "a secret",
        "id.example",
    )
    assert not oidc.addresses_are_verified
    assert read_config({"CONSOLE_VAR": str(tmp_path)}).oidc is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CONSOLE_OIDC_ISSUER", "http://id.example"),
        ("CONSOLE_OIDC_ISSUER", "id.example"),
        ("CONSOLE_OIDC_CLIENT_ID", ""),
        ("CONSOLE_OIDC_CLIENT_SECRET_FILE", ""),
        ("CONSOLE_OIDC_CLIENT_SECRET_FILE", "/nowhere/at/all"),
        ("CONSOLE_OIDC_ADDRESSES_ARE_VERIFIED", "maybe"),
        ("CONSOLE_REQUIRE_TOTP", "1"),
        ("CONSOLE_TRUSTED_PROXIES", "-1"),
        ("CONSOLE_TRUSTED_PROXIES", "10"),
    ],
)
def test_a_value_that_cannot_be_used_is_named(tmp_path: Path, secret: str, name: str, value: str) -> None:
    env = {
        "CONSOLE_VAR": str(tmp_path),
        "CONSOLE_OIDC_ISSUER": "http://127.0.0.1:9400",
        "CONSOLE_OIDC_CLIENT_ID": "console",
        "CONSOLE_OIDC_CLIENT_SECRET_FILE": secret,
    }
    assert read_config(env).oidc is not None
    with pytest.raises(BadConfiguration, match=name):
        read_config(env | {name: value})
