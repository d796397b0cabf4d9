"""What answering `GET /v1/pass/{identifier}/tags` costs anybody: chalice, pynamodb, one botocore client, two calls.

It has what the real application cannot do without, and nothing else: no settings beside four variables, no credentials
to check, no errors of its own. `benchmarks/cold_start.py` starts it in the application's place.
"""

import os
from typing import Any

import pynamodb.models  # noqa: F401 - what declaring a table costs to import
from botocore.config import Config
from botocore.session import get_session
from chalice import Chalice

app = Chalice(app_name="bare")

_PREFIX = os.environ["PASSEL_PREFIX"]
_dynamodb: Any = get_session().create_client(
    "dynamodb",
    os.environ["AWS_REGION"],
    endpoint_url=os.environ["AWS_ENDPOINT_URL_DYNAMODB"],
    config=Config(
        parameter_validation=False,
        connect_timeout=1,
        read_timeout=4,
        retries={"total_max_attempts": 3, "mode": "standard"},
        max_pool_connections=64,
    ),
)


@app.route("/v1/pass/{identifier}/tags")
def list_tags(identifier: str) -> dict[str, object]:
    """The pass, then its tags."""
    found = _dynamodb.get_item(TableName=f"{_PREFIX}passes", Key={"pass_id": {"N": identifier}}, ConsistentRead=True)
    pass_ = found["Item"]
    project_id = pass_["project_id"]["N"]
    keys = [{"key": {"S": f"{project_id}#id#{reference.split('.')[0]}"}} for reference in pass_["tags"]["SS"]]
    request = {f"{_PREFIX}tags": {"Keys": keys, "ConsistentRead": True}}
    rows = _dynamodb.batch_get_item(RequestItems=request)["Responses"][f"{_PREFIX}tags"]
    return {"tags": [{"id": int(row["tag_id"]["N"]), "name": row["name"]["S"]} for row in rows]}
