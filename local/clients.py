"""botocore clients for the local engines: fixed credentials, nothing read from the user's AWS configuration."""

from __future__ import annotations

from typing import Any, Literal

from botocore.config import Config
from botocore.session import Session

REGION = "us-east-1"
ACCESS_KEY = "local"


def create_client(service: Literal["dynamodb", "sqs"], *, endpoint_url: str) -> Any:
    """A client of a local engine. Close it when done."""
    return Session().create_client(
        service,
        region_name=REGION,
        endpoint_url=endpoint_url,
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=ACCESS_KEY,
        # Long polls of every worker thread share the pool. A proxy would never find 127.0.0.1.
        config=Config(connect_timeout=2, read_timeout=30, max_pool_connections=32, proxies={}),
    )
