"""Values that all passes of a template share, which Google shows from the class (wallets, section 4.4).

The shared content begins as the template's own and is then kept apart from it: a template update affects later passes
only, a class update all of them. Only updates that were for every pass change it, in the order of their tickets, field
by field as on a pass. An object carries a field that differs from the shared one, and one that a later ticket than the
shared one's wrote: it stays as it is when the shared one changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from chalicelib.domain.content import Content, ContentUpdate, Entry, apply_update
from chalicelib.domain.passes import Pass

MOST_FIELDS = 100
"""that a class shows: beyond it, fields that only some passes have are not shown at Google"""

_SHOWN = ("value", "label")
_PLACING = ("fieldType", "order", "formatType")


def begin_shared(content: Content) -> Content:
    """The shared content of a template that Google is told of for the first time."""
    return Content.decode(content.encode())


def apply_shared(shared: Content, update: ContentUpdate, *, ticket_id: int) -> Content:
    """The shared content after an update of every pass. Idempotent and order-independent."""
    after = shared.copy_for(update)
    apply_update(after, update, ticket_id=ticket_id)
    return after


def add_missing_fields(
    shared: Content, passes: Iterable[Pass], *, is_placed: Callable[[Content, str], bool]
) -> Content:
    """The shared content with a place, but no value, for fields that some pass shows and that it has none for.

    It is `shared` itself if there is none.
    """
    placed = {name for name in shared.fields if is_placed(shared, name)}
    added: dict[str, Entry] = {}
    for pass_ in passes:
        for name, entry in pass_.content.fields.items():
            if len(placed) + len(added) >= MOST_FIELDS:
                break
            if name not in placed and name not in added and is_placed(pass_.content, name):
                # what has no place is not shown, so a value without one says nothing of what passes share
                placing = {key: entry.attributes[key] for key in _PLACING if key in entry.attributes}
                added[name] = Entry(placing)
    if not added:
        return shared
    return Content(
        fields={**shared.fields, **added},
        headers=shared.headers,
        lists=shared.lists,
        list_tickets=shared.list_tickets,
    )


def is_written_later(own: Content, shared: Content, name: str) -> bool:
    """Whether a pass had a field written by a later ticket than the shared one."""
    own_entry, shared_entry = own.fields.get(name), shared.fields.get(name)
    own_tickets = own_entry.tickets if own_entry else {}
    shared_tickets = shared_entry.tickets if shared_entry else {}
    return any(own_tickets.get(one, 0) > max(shared_tickets.get(one, 0), 0) for one in _SHOWN)
