"""The models that routes name, imported when one is asked for: few requests need pydantic, and none needs them all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pydantic import BaseModel


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


def find_model(name: str) -> type[BaseModel]:
    """The model `module.Class` of `chalicelib/schemas/`.

    Raises:
        LookupError, AttributeError: there is none.
    """
    module, _, own = name.partition(".")
    found: Any = getattr(_MODULES[module](), own)
    return found  # type: ignore[no-any-return]
