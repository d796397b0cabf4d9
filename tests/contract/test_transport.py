"""Content types (airship-wallet-v1, sections 1 and 3)."""

from __future__ import annotations

import pytest

from tests.support.stack import Tenant


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/v1/tag", 200), ("DELETE", "/v1/tag/none", 404)])
def test_a_request_without_a_body_may_claim_any_type(tenant: Tenant, method: str, path: str, status: int) -> None:
    response = tenant.request(method, path, headers={"Content-Type": "text/plain"})

    assert response.status_code == status


def test_a_body_of_another_type_is_not_acceptable(tenant: Tenant) -> None:
    response = tenant.request("PUT", "/v1/pass/1/tags", content=b'{"tags": []}', headers={"Content-Type": "text/plain"})

    assert response.status_code == 406
    assert response.json()["error_code"] == 406
