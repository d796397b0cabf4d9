"""The environment variables that point the app, and the CLI with `--local`, at the local engines."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from local.clients import ACCESS_KEY, REGION

PREFIX = "passel-local-"

# What a developer's shell may hold and would send the app elsewhere: each beats or joins a variable that we set.
_FOREIGN = (
    "AWS_DEFAULT_PROFILE",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_S3",
    "AWS_ENDPOINT_URL_SECRETS_MANAGER",
    "AWS_ENDPOINT_URL_SSM",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_PROFILE",
    "AWS_SECURITY_TOKEN",
    "AWS_SESSION_TOKEN",
    "PASSEL_ACCESS_KEY_ID",
    "PASSEL_DYNAMODB_ENDPOINT",
    "PASSEL_REGION",
    "PASSEL_S3_ENDPOINT",
    "PASSEL_SECRET_ACCESS_KEY",
    "PASSEL_SECRETSMANAGER_ENDPOINT",
    "PASSEL_SESSION_TOKEN",
    "PASSEL_SQS_ENDPOINT",
    "PASSEL_SSM_ENDPOINT",
)
_LOOPBACK = "127.0.0.1,localhost"


def build_environment(*, dynamodb_url: str, sqs_url: str) -> dict[str, str]:
    """The variables of a stack with these engines.

    Where moto serves both, it is spared PartiQL, which it lacks, and given the time that it takes for large tables.
    """
    on_moto = dynamodb_url == sqs_url
    no_proxy = ",".join(filter(None, (os.environ.get("NO_PROXY") or os.environ.get("no_proxy"), _LOOPBACK)))
    return {
        "PASSEL_PREFIX": PREFIX,
        "PASSEL_SWEEP_DELAY_SECONDS": "1",
        "PASSEL_BATCH_STATEMENTS": "false" if on_moto else "true",
        "PASSEL_READ_TIMEOUT_SECONDS": "60" if on_moto else "4",
        "AWS_ENDPOINT_URL_DYNAMODB": dynamodb_url,
        "AWS_ENDPOINT_URL_SQS": sqs_url,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": ACCESS_KEY,
        "NO_PROXY": no_proxy,
        "no_proxy": no_proxy,
    }


def name_folders(*, assets: Path, certificates: Path) -> dict[str, str]:
    """The variables that keep images and signing certificates in folders of this machine."""
    return {"PASSEL_ASSETS": f"file:{assets}", "PASSEL_CERTIFICATES": f"file:{certificates}"}


def apply_environment(variables: Mapping[str, str]) -> None:
    """Set the variables in this process. To be called before anything reads the settings."""
    for name in _FOREIGN:
        os.environ.pop(name, None)
    os.environ.update(variables)
