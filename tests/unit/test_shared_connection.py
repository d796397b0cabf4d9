"""One session and one client for all models and SQS: what `store/connection.py` reaches into pynamodb for."""

from __future__ import annotations

import json
import subprocess
import sys

_SCRIPT = """
import json, sys
import botocore.session
sessions = []
original = botocore.session.Session.__init__
def counted(self, *arguments, **more):
    sessions.append(self)
    original(self, *arguments, **more)
botocore.session.Session.__init__ = counted
from chalicelib.settings import Settings
from chalicelib.store.connection import Database
from chalicelib.store.models import MODELS
database = Database(Settings(access_key_id="key", secret_access_key="secret", prefix="passel-test-"))
client = database.connection.client
sqs = database.sqs
print(json.dumps({
    "sessions": len(sessions),
    "same_client": all(model._get_connection().connection.client is client for model in MODELS),
    "prefixed": all(model.Meta.table_name.startswith("passel-test-") for model in MODELS),
    "agents": [each.meta.config.user_agent.split("/")[0] for each in (client, sqs)],
    "services": [client.meta.service_model.service_name, sqs.meta.service_model.service_name],
}))
"""

_APP_SCRIPT = """
import json, sys
import app
names = ("boto3", "moto", "click", "yaml", "requests", "httpx")
print(json.dumps([name for name in names if name in sys.modules]))
"""


def _run(script: str) -> object:
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": "."}
    finished = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, env=environment, timeout=60
    )
    return json.loads(finished.stdout)


def test_all_models_and_sqs_share_one_session_and_one_client() -> None:
    assert _run(_SCRIPT) == {
        "sessions": 1,
        "same_client": True,
        "prefixed": True,
        "agents": ["passel botocore", "passel botocore"],
        "services": ["dynamodb", "sqs"],
    }


def test_the_app_imports_nothing_that_no_request_needs() -> None:
    assert _run(_APP_SCRIPT) == []
