from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from chalicelib.settings import Limits, Settings, SettingsError, read_settings


def test_an_empty_environment_gives_the_defaults() -> None:
    assert read_settings({}) == Settings()


def test_values_come_from_variables_named_after_their_fields() -> None:
    settings = read_settings(
        {"PASSEL_PREFIX": "passel-test-", "PASSEL_STRIPES": "4", "PASSEL_LIMIT_TAGS_PER_PASS": "20"}
    )

    assert (settings.prefix, settings.stripes, settings.limits.tags_per_pass) == ("passel-test-", 4, 20)
    assert settings.limits.locations == Limits().locations
    assert settings.table_name("passes") == "passel-test-passes"
    assert settings.queue_name("segment-dead") == "passel-test-segment-dead"


def test_awss_own_variables_are_read_and_ours_win() -> None:
    environment = {"AWS_DEFAULT_REGION": "eu-west-1", "AWS_ENDPOINT_URL_SQS": "http://localhost:1"}

    assert read_settings(environment).region == "eu-west-1"
    assert read_settings(environment | {"AWS_REGION": "eu-north-1"}).region == "eu-north-1"
    assert read_settings(environment | {"PASSEL_REGION": "us-west-2"}).region == "us-west-2"
    assert read_settings(environment).sqs_endpoint == "http://localhost:1"


def test_an_empty_variable_is_as_good_as_none() -> None:
    assert read_settings({"PASSEL_PREFIX": "", "PASSEL_LIMIT_LOCATIONS": "", "AWS_REGION": ""}) == Settings()


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PASSEL_PREFIX", "a b"),
        ("PASSEL_PREFIX", "x" * 41),
        ("PASSEL_STRIPES", "17"),
        ("PASSEL_STRIPES", "0"),
        ("PASSEL_SWEEP_DELAY_SECONDS", "901"),
        ("PASSEL_REQUEST_BUDGET_SECONDS", "soon"),
        ("PASSEL_LIMIT_BODY_BYTES", "1 MB"),
        ("PASSEL_LIMIT_PAGE_SIZE", "ten"),
    ],
)
def test_an_unusable_value_is_refused_by_the_name_of_its_variable(variable: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"^{variable}: "):
        read_settings({variable: value})


def test_settings_do_not_change_once_read() -> None:
    with pytest.raises(FrozenInstanceError):
        read_settings({}).stripes = 3  # type: ignore[misc]


@pytest.mark.parametrize("address", ["https://passes.example.com/v1", "https://passes.example.com/v1/"])
def test_an_address_that_wallets_would_ask_twice_below_is_refused(address: str) -> None:
    with pytest.raises(SettingsError, match=r"PASSEL_PUBLIC_BASE_URL: .*must not end in /v1"):
        read_settings({"PASSEL_PUBLIC_BASE_URL": address})


def test_the_push_services_that_may_be_called_are_read_as_json() -> None:
    settings = read_settings({"PASSEL_PASSWALLET_PUSH_ALLOW": '{"push.example.com": "https://inside.example.com"}'})

    assert settings.passwallet_push_allow == {"push.example.com": "https://inside.example.com"}


@pytest.mark.parametrize("text", ["push.example.com", "[1]", '{"a": 1}'])
def test_push_services_in_any_other_form_are_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="PASSEL_PASSWALLET_PUSH_ALLOW"):
        read_settings({"PASSEL_PASSWALLET_PUSH_ALLOW": text})
