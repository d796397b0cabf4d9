"""Documents as models, with errors that name the field."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from chalicelib.domain.errors import InvalidRequest

if TYPE_CHECKING:
    from pydantic import BaseModel

Model = TypeVar("Model", bound="BaseModel")


def read_model(model: type[Model], document: Any) -> Model:
    """The document as a model; a model that knows how to `wrap` an array takes one too.

    Raises:
        InvalidRequest: a value does not fit; the field is its path, such as `fields.Points.value`.
    """
    if not isinstance(document, dict):
        wrap = getattr(model, "wrap", None)
        if wrap is None or not isinstance(document, list):
            raise InvalidRequest("must be a JSON object", field="body")
        document = wrap(document)
    from pydantic import ValidationError

    try:
        return model.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise InvalidRequest(first["msg"].removeprefix("Value error, "), field=field_path(first["loc"])) from error


def field_path(location: tuple[int | str, ...]) -> str:
    """`tags[3]` for ("tags", 3)."""
    path = ""
    for part in location:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else str(part)
    return path
