"""The variables that point the app at the local engines."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from chalicelib.settings import read_settings
from local.environment import PREFIX, apply_environment, build_environment, name_folders


def test_the_settings_find_the_engines_whatever_the_shell_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", {"PASSEL_DYNAMODB_ENDPOINT": "http://elsewhere", "AWS_PROFILE": "work"})
    apply_environment(build_environment(dynamodb_url="http://127.0.0.1:1", sqs_url="http://127.0.0.1:2"))
    settings = read_settings(os.environ)
    assert settings.dynamodb_endpoint == "http://127.0.0.1:1"
    assert settings.sqs_endpoint == "http://127.0.0.1:2"
    assert settings.prefix == PREFIX
    assert settings.sweep_delay_seconds == 1
    assert settings.public_base_url is None
    assert "AWS_PROFILE" not in os.environ


def test_a_proxy_of_the_shell_is_not_asked_for_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", {"no_proxy": "intranet"})
    variables = build_environment(dynamodb_url="http://127.0.0.1:1", sqs_url="http://127.0.0.1:2")
    assert variables["NO_PROXY"] == variables["no_proxy"] == "intranet,127.0.0.1,localhost"


def test_images_and_certificates_stay_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    foreign = {"PASSEL_ASSETS": "s3:elsewhere", "PASSEL_CERTIFICATES": "ssm:/elsewhere"}
    endpoints = {"PASSEL_S3_ENDPOINT": "http://elsewhere", "AWS_ENDPOINT_URL_SSM": "http://elsewhere"}
    monkeypatch.setattr(os, "environ", foreign | endpoints)
    apply_environment(name_folders(assets=Path("/data/assets"), certificates=Path("/data/certificates")))
    settings = read_settings(os.environ)
    assert (settings.assets, settings.certificates) == ("file:/data/assets", "file:/data/certificates")
    assert settings.s3_endpoint is settings.ssm_endpoint is None
