"""Lets pytest say what was compared where a rule or a look fails."""

from __future__ import annotations

import pytest

for name in ("base", "device_rules", "issuing_rules", "list_looks", "tag_rules", "thing_looks", "writing_rules"):
    pytest.register_assert_rewrite(f"tests.model.{name}")
