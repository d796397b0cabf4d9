"""Lists compared with the model: every list of both dialects, any page of them, in any order, with its total."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from tests.model.base import Base
from tests.model.ledger import FILTERS, Pass, Project, Registration, Template

ORDERS = ("id", "createdAt", "updatedAt")
SIZES = (1, 2, 3, 5, 10)
LARGEST = 1000

_KEYS: dict[str, Callable[[Pass], tuple[Any, ...]]] = {
    "id": lambda each: (each.pass_id,),
    "createdAt": lambda each: (each.created_at, each.pass_id),
    "updatedAt": lambda each: (each.updated_at, each.pass_id),
}


@dataclass(frozen=True)
class PassList:
    """A list of passes in the Airship dialect."""

    project: Project
    path: str
    passes: Sequence[Pass]
    of_tag: bool = False


@dataclass(frozen=True)
class RowList:
    """A list in the Passworks dialect: what identifies its rows, oldest first."""

    project: Project
    path: str
    rows: Sequence[Any]
    read: Callable[[Any], Any]


class ListLooks(Base):
    """Pages of lists."""

    def pass_lists(self, project: Project) -> list[PassList]:
        """Every list of passes."""
        lists = [PassList(project, "/v1/pass", project.passes)]
        for template in project.templates:
            lists.append(PassList(project, f"/v1/template/{template.template_id}/passes", template.passes))
            lists.append(PassList(project, f"/v1/pass?templateId={template.template_id}", template.passes))
        for tag in project.tags:
            path = f"/v1/tag/{quote(tag.name, safe='')}/passes"
            lists.append(PassList(project, path, project.tagged(tag), of_tag=True))
        return lists

    def look_at_page(
        self, listed: PassList, *, status: str | None, order: str, descending: bool, page: int, size: int
    ) -> int:
        """One page; how many pages there are."""
        direction = "DESC" if descending else "ASC"
        query = f"page={page}&pageSize={size}&order={order}&direction={direction}"
        query += "" if status is None else f"&status={status}"
        path = f"{listed.path}{'&' if '?' in listed.path else '?'}{query}"
        answer = self.call(listed.project, "GET", path)
        wanted = [each for each in listed.passes if each.status in FILTERS[status]]
        wanted.sort(key=_KEYS[order], reverse=descending)
        shown = wanted[(page - 1) * size : page * size]
        found = [(int(row["id"]), row["status"]) for row in answer["passes"]]
        assert found == [(each.pass_id, each.status) for each in shown], path
        assert answer["count"] == len(wanted), path
        paging = {"order": order, "direction": direction.lower() if listed.of_tag else direction, "page": page}
        assert answer["pagination"] == paging | {"start": (page - 1) * size, "pageSize": size}
        return -(-len(wanted) // size)

    def look_at_some_page(self, project: Project) -> None:
        """Any page of any list, the one past the end too."""
        listed = self.random.choice(self.pass_lists(project))
        size = self.random.choice(SIZES)
        self.look_at_page(
            listed,
            status=self.random.choice(tuple(FILTERS)),
            order=self.random.choice(ORDERS),
            descending=self.random.random() < 0.5,
            page=self.random.randint(1, len(listed.passes) // size + 2),
            size=size,
        )

    def look_at_every_page(self, listed: PassList) -> None:
        """All pages in some order, with a filter or without; about three, and one past the end."""
        size = len(listed.passes) // 3 + 1
        status, order = self.random.choice((None, *FILTERS)), self.random.choice(ORDERS)
        descending = self.random.random() < 0.5
        page = pages = 1
        while page <= pages + 1:
            pages = self.look_at_page(listed, status=status, order=order, descending=descending, page=page, size=size)
            page += 1

    def row_lists(self, template: Template) -> list[RowList]:
        """Lists of a campaign in the Passworks dialect, and of its latest pass."""
        path, project = template.path, template.project
        lists = [
            RowList(project, f"{path}/passes", [each.serial_number for each in template.passes], lambda row: row["id"]),
            RowList(project, f"{path}/registrations", _registered(template.passes), _read_registration),
            RowList(project, f"{path}/redeems", _redeemed(template), _read_redeem),
        ]
        for pass_ in template.passes[-1:]:
            lists.append(RowList(project, f"{pass_.path}/registrations", _registered([pass_]), _read_registration))
            lists.append(RowList(project, f"{pass_.path}/redeems", _redeemed(template, pass_), _read_redeem))
        return lists

    def look_at_rows(self, listed: RowList, *, page: int, size: int, offset: int = 0) -> int:
        """One page with its headers (passworks-v2, section 4); how many pages there are."""
        answer = self.send(listed.project, "GET", f"{listed.path}?page={page}&per_page={size}&offset={offset}")
        assert answer.status_code == 200, (listed.path, answer.text)
        start = offset + (page - 1) * size
        assert [listed.read(row) for row in answer.json()] == list(listed.rows[start : start + size]), listed.path
        pages = -(-max(len(listed.rows) - offset, 0) // size)
        expected = {"Total": len(listed.rows), "Total-Pages": pages, "Page": page, "Per-Page": size, "Offset": offset}
        expected |= {"Next-Page": page + 1} if page < pages else {}
        expected |= {"Prev-Page": page - 1} if page > 1 else {}
        names = ("Total", "Total-Pages", "Page", "Per-Page", "Offset", "Next-Page", "Prev-Page")
        found = {name: answer.headers.get(f"X-{name}") for name in names}
        assert {name: int(value) for name, value in found.items() if value is not None} == expected, listed.path
        return pages

    def look_at_some_rows(self, template: Template) -> None:
        """Any page of any of a campaign's lists."""
        listed = self.random.choice(self.row_lists(template))
        size = self.random.choice(SIZES)
        page = self.random.randint(1, len(listed.rows) // size + 2)
        self.look_at_rows(listed, page=page, size=size, offset=self.random.choice((0, 0, 0, 1)))

    def look_at_all_rows(self, template: Template) -> None:
        """All pages of all of a campaign's lists."""
        for listed in self.row_lists(template):
            page = pages = 1
            while page <= pages + 1:
                pages = self.look_at_rows(listed, page=page, size=len(listed.rows) // 3 + 1)
                page += 1

    def look_at_tags(self, project: Project) -> None:
        """The list of tags. Ids of new ones are learnt, and are above all before."""
        answer = self.call(project, "GET", f"/v1/tag?pageSize={LARGEST}&direction=ASC")
        ids = [row["id"] for row in answer["tags"]]
        assert ids == sorted(set(ids))
        assert [row["tag"] for row in answer["tags"]] == [tag.name for tag in project.tags]
        assert answer["count"] == len(project.tags)
        for tag, tag_id in zip(project.tags, ids, strict=True):
            assert tag.tag_id in (0, tag_id)
            tag.tag_id = tag_id

    def look_at_tag_pages(self, project: Project) -> None:
        """All pages of the list of tags, both ways round."""
        size = len(project.tags) // 3 + 1
        for descending in (False, True):
            tags = project.tags[::-1] if descending else project.tags
            for page in range(1, len(tags) // size + 3):
                direction = "DESC" if descending else "ASC"
                answer = self.call(project, "GET", f"/v1/tag?page={page}&pageSize={size}&direction={direction}")
                found = [row["id"] for row in answer["tags"]]
                assert found == [tag.tag_id for tag in tags[(page - 1) * size : page * size]]
                assert answer["count"] == len(tags)


def _registered(passes: Sequence[Pass]) -> list[tuple[str, str, str]]:
    """Pass, wallet and system of each registration, oldest first."""
    rows: list[tuple[Pass, Registration]] = [(each, row) for each in passes for row in each.registrations.values()]
    rows.sort(key=lambda pair: pair[1].order)
    return [(each.serial_number, row.wallet, row.system) for each, row in rows]


def _read_registration(row: dict[str, Any]) -> tuple[str, str, str]:
    assert set(row) == {"id", "pass_id", "wallet", "device_os", "created_at"}
    return row["pass_id"], row["wallet"], row["device_os"]


def _redeemed(template: Template, pass_: Pass | None = None) -> list[tuple[str, str, str | None]]:
    """Pass, code and comment of each redeem, oldest first."""
    found = [each for each in template.redeems if pass_ in (None, each.pass_)]
    return [(each.pass_.serial_number, each.pass_.redeem_code, each.comment) for each in found]


def _read_redeem(row: dict[str, Any]) -> tuple[str, str, str | None]:
    assert set(row) == {"id", "pass_id", "redeem_code", "comment", "created_at"}
    return row["pass_id"], row["redeem_code"], row["comment"]
