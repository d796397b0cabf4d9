"""`python -m openapi`: writes the description of the API."""

from __future__ import annotations

from openapi.document import FILE, render

if __name__ == "__main__":
    FILE.write_text(render(), encoding="utf-8")
