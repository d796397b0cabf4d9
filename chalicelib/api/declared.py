"""What a route declares about itself, beside its path and its view.

Two read it: the route as it answers, which reads body and query through what is declared here, and the tool that
writes the description of the API (`openapi/`). So neither can know of something that the other does not.

Models are named, `airship.UpdateBody` for a class of `chalicelib/schemas/airship.py`, and imported by whoever needs
one. Plain classes, since each cold start makes them, and dataclasses take ten times as long to make.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypedDict

if TYPE_CHECKING:
    from collections.abc import Callable

    from chalicelib.domain.filtering import Kind


class Parameter:
    """A parameter of the query, by itself any text. `text` is what a client is told of it."""

    def __init__(self, *, name: str, text: str) -> None:
        self.name = name
        self.text = text


class Whole(Parameter):
    """A whole number; `most` may name a limit of the settings. An empty value is the default."""

    def __init__(self, *, name: str, text: str, default: int, least: int, most: int | str) -> None:
        super().__init__(name=name, text=text)
        self.default = default
        self.least = least
        self.most = most


class Clamped(Whole):
    """A whole number of which no value is refused: each is brought into its range, and what is none is the default."""


class Choice(Parameter):
    """One of some words, in any case. An empty value is the default; None means that there is none."""

    def __init__(self, *, name: str, text: str, choices: tuple[str, ...], default: str | None = None) -> None:
        super().__init__(name=name, text=text)
        self.choices = choices
        self.default = default


class TemplateId(Parameter):
    """The id of a template. An empty value is none."""


class Day(Parameter):
    """A date, such as `2016-06-29`."""


class Filters(Parameter):
    """The conditions and the order `q[…]` of a list, by its attributes."""

    def __init__(self, *, name: str, text: str, attributes: Mapping[str, Kind]) -> None:
        super().__init__(name=name, text=text)
        self.attributes = attributes


OWN_ROOT: Final = "(own)"
"""stands for the root key of the campaign type that a path names"""


class Body:
    """A JSON body: the model of the document, or of what stands under a root key of it.

    Of several `roots` the first that is there counts. With `may_be_empty` the whole body may be missing, `null` or an
    object without keys. `beside` is the model of what may stand beside the root key.
    """

    def __init__(
        self,
        *,
        model: str,
        roots: tuple[str, ...] = (),
        may_be_empty: bool = False,
        may_lack_root: bool = False,
        beside: str | None = None,
    ) -> None:
        self.model = model
        self.roots = roots
        self.may_be_empty = may_be_empty
        self.may_lack_root = may_lack_root
        self.beside = beside


Media = str
"""a model, `airship_answers.TagList`; a list of one, `passworks_answers.Campaign[]`; or a media type, `text/html`"""


class Says(TypedDict, total=False):
    """What a route may declare; see `Declared`."""

    operation: str
    body: str | Body
    answer: Media
    answers: Mapping[int, Media | tuple[Media, ...] | None]
    query: Sequence[Parameter]
    names: Mapping[str, str]
    shares: Sequence[str]
    refuses: Sequence[int]


class Declared:
    """What a route declares.

    `operation` is its name in the description and in clients made from it; None takes the view's. `answers` has the
    status of each success with what its body is, None for no body. `names` has what a path parameter names, where its
    own name does not say so (`openapi/path_parameters.py` knows them); `shares` what the route has in common with
    others, by the names of `openapi/shared.py`; `refuses` statuses beside those that follow from the rest.
    """

    def __init__(
        self,
        *,
        operation: str | None = None,
        body: Body | None = None,
        answers: Mapping[int, Media | tuple[Media, ...] | None] | None = None,
        query: tuple[Parameter, ...] = (),
        names: Mapping[str, str] | None = None,
        shares: tuple[str, ...] = (),
        refuses: tuple[int, ...] = (),
    ) -> None:
        self.operation = operation
        self.body = body
        self.answers = answers or {}
        self.query = query
        self.names = names or {}
        self.shares = shares
        self.refuses = refuses

    def parameter(self, name: str) -> Any:
        """The declaration of a query parameter.

        Raises:
            KeyError: the route reads what it does not declare.
        """
        for parameter in self.query:
            if parameter.name == name:
                return parameter
        raise KeyError(f"the route does not declare the query parameter {name}")


NOTHING: Final = Declared()


def declare(*, status: int = 200, says: Says, takes_key: bool = False) -> Declared:
    """`says` as a declaration; `answer` is for a success with `status`, `takes_key` means an Idempotency-Key."""
    body = says.get("body")
    answers = dict(says.get("answers", {}))
    if "answer" in says:
        answers[status] = says["answer"]
    return Declared(
        operation=says.get("operation"),
        body=Body(model=body) if isinstance(body, str) else body,
        answers=answers,
        query=tuple(says.get("query", ())),
        names=says.get("names", {}),
        shares=(*says.get("shares", ()), *(["idempotency key"] if takes_key else [])),
        refuses=tuple(says.get("refuses", ())),
    )


class Operation:
    """One method of one path, as it is registered.

    `module` is that of its view, `text` the view's docstring, which is written for clients; `revision` says whether it
    looks at Api-Revision.
    """

    def __init__(
        self,
        *,
        method: str,
        path: str,
        dialect: str,
        name: str,
        module: str,
        text: str,
        declared: Declared,
        open_to_all: bool = False,
        revision: bool = False,
    ) -> None:
        self.method = method
        self.path = path
        self.dialect = dialect
        self.name = name
        self.module = module
        self.text = text
        self.declared = declared
        self.open_to_all = open_to_all
        self.revision = revision


OPERATIONS: Final[dict[tuple[str, str], Operation]] = {}
"""by method and path: every route that has been registered in this process"""


def note_operations(
    path: str,
    *,
    methods: Sequence[str],
    dialect: str,
    view: Callable[..., Any],
    declared: Declared,
    open_to_all: bool,
    revision: bool,
) -> None:
    """Writes down a route. Its first method has the plain name, another one says in its name which it is."""
    name = declared.operation or view.__name__
    for position, method in enumerate(methods):
        OPERATIONS[method, path] = Operation(
            method=method,
            path=path,
            dialect=dialect,
            name=f"{name}_by_{method.lower()}" if position else name,
            module=view.__module__,
            text=view.__doc__ or "",
            declared=declared,
            open_to_all=open_to_all,
            revision=revision,
        )
