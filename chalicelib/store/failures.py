"""DynamoDB's failures, told in the domain's words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as BotocoreConnectionError
from pynamodb.exceptions import PynamoDBException

from chalicelib.domain.errors import Conflict, StorageUnavailable

CONDITION_FAILED = "ConditionalCheckFailedException"
CANCELLED = "TransactionCanceledException"
IN_PROGRESS = "TransactionInProgressException"
CONFLICTS = frozenset({"TransactionConflictException", IN_PROGRESS, "ReplicatedWriteConflictException"})
THROTTLED = frozenset(
    {
        "ProvisionedThroughputExceededException",
        "ThrottlingException",
        "Throttling",
        "RequestLimitExceeded",
        "InternalServerError",
        "ServiceUnavailable",
    }
)


_UNREACHABLE = (BotocoreConnectionError, HTTPClientError)


class ConditionFailed(Conflict):
    """A condition of ours did not hold. `labels` name the transaction's items it failed for."""

    def __init__(self, labels: frozenset[str] = frozenset(), *, may_be_written: bool = False) -> None:
        super().__init__(f"condition failed: {', '.join(sorted(labels))}", may_be_written=may_be_written)
        self.labels = labels


@contextmanager
def translated() -> Iterator[None]:
    """Turns what pynamodb and botocore raise into Conflict, ConditionFailed or StorageUnavailable, keeping the cause.

    A programming fault (validation, a missing table, a missing permission) passes through unchanged.
    """
    try:
        yield
    except (PynamoDBException, ClientError) as error:
        if _is_connection_failure(error):
            raise StorageUnavailable("storage cannot be reached") from error
        code = _code(error)
        if code == CONDITION_FAILED:
            raise ConditionFailed(may_be_written=was_repeated(error)) from error
        if code in CONFLICTS:
            # a transaction meets itself if its repeat comes while it is under way
            may_be_written = code == IN_PROGRESS or was_repeated(error)
            raise Conflict("two writers met", may_be_written=may_be_written) from error
        if code in THROTTLED:
            raise StorageUnavailable("storage is throttled") from error
        raise
    except BotoCoreError as error:
        if isinstance(error, _UNREACHABLE):
            raise StorageUnavailable("storage cannot be reached") from error
        raise


def was_repeated(error: PynamoDBException | ClientError) -> bool:
    """Whether botocore sent a request again, as after an answer that never came: an earlier try may be written."""
    # pynamodb's own copy of botocore's error lacks this
    raised = error if isinstance(error, ClientError) else error.cause and error.cause.__context__
    return isinstance(raised, ClientError) and bool(raised.response.get("ResponseMetadata", {}).get("RetryAttempts"))


def _code(error: PynamoDBException | ClientError) -> str | None:
    """The service's code. pynamodb looks for it in any cause, also in one that never reached the service."""
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code"))
    return error.cause_response_code


def _is_connection_failure(error: PynamoDBException | ClientError) -> bool:
    return isinstance(getattr(error, "cause", None), _UNREACHABLE)
