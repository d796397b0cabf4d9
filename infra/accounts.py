"""The AWS account and region of the current credentials, and whether a stage fits into it."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as UnreachableError
from botocore.session import Session

from infra.chalice_project import Place
from infra.stages import KEPT_UNRESERVED, Stage


class AccountError(Exception):
    """The account cannot take the stage, or there is none; the message says what to change."""


def check_account(session: Session) -> Place:
    """Where the credentials of `session` lead.

    Raises:
        AccountError: no region, no credentials, or AWS cannot be reached or does not accept them.
    """
    region: str | None = session.get_config_variable("region")
    if not region:
        raise AccountError("no AWS region: set AWS_DEFAULT_REGION, or a region in the AWS profile")
    try:
        sts: Any = session.create_client("sts")
        identity = sts.get_caller_identity()
    except (UnreachableError, HTTPClientError) as error:
        raise AccountError(f"AWS cannot be reached: {error}") from error
    except (BotoCoreError, ClientError) as error:
        raise AccountError(f"no usable AWS credentials: {error}") from error
    except ValueError as error:
        raise AccountError(f"AWS_ENDPOINT_URL must be an address such as http://localhost:4566: {error}") from error
    return Place(account=str(identity["Account"]), region=region, partition=identity["Arn"].split(":")[1])


def check_concurrency(stage: Stage, *, awslambda: Any) -> None:
    """Whether the account has room for what the stage's functions reserve.

    Raises:
        AccountError: it has not; new accounts often start with ten.
    """
    wanted = stage.reserved_concurrency
    if not wanted:
        return
    limits = awslambda.get_account_settings()["AccountLimit"]
    held = sum(_reserved(stage.deployed_name(name), awslambda) for name in stage.functions)
    free = limits["UnreservedConcurrentExecutions"] + held - KEPT_UNRESERVED
    if wanted > free:
        raise AccountError(
            f"stage '{stage.name}' reserves a concurrency of {wanted}, and {max(free, 0)} of the account's"
            f" {limits['ConcurrentExecutions']} are free for that: ask AWS for more (service quota L-B99A9384),"
            " or lower reserved_concurrency in .chalice/config.json"
        )


def _reserved(function: str, awslambda: Any) -> int:
    try:
        return int(awslambda.get_function_concurrency(FunctionName=function).get("ReservedConcurrentExecutions", 0))
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            return 0
        raise
