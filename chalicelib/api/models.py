"""The models that routes name, imported when one is asked for: few requests need pydantic, and none needs them all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any, Final

from chalicelib.schemas.reading import read_model


def _airship() -> ModuleType:
    from chalicelib.schemas import airship

    return airship


def _callbacks() -> ModuleType:
    from chalicelib.schemas import callbacks

    return callbacks


def _passworks() -> ModuleType:
    from chalicelib.schemas import passworks

    return passworks


def _passworks_redeems() -> ModuleType:
    from chalicelib.schemas import passworks_redeems

    return passworks_redeems


def _passworks_templates() -> ModuleType:
    from chalicelib.schemas import passworks_templates

    return passworks_templates


_MODULES: Final[Mapping[str, Callable[[], ModuleType]]] = {
    "airship": _airship,
    "callbacks": _callbacks,
    "passworks": _passworks,
    "passworks_redeems": _passworks_redeems,
    "passworks_templates": _passworks_templates,
}
"""what routes read; the imports are written out so that packaging sees them"""


def read_as(name: str, document: Any) -> Any:
    """The document as the model `module.Class` of `chalicelib/schemas/`.

    Raises:
        InvalidRequest: a value does not fit.
        LookupError, AttributeError: there is no such model.
    """
    module, _, own = name.partition(".")
    return read_model(getattr(_MODULES[module](), own), document)
