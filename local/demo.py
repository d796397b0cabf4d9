"""`python -m local.demo`: plays a team's day against the running stack over HTTP, and checks every answer.

2,000 passes of a new template, a new tag on 1,200 of them, every page of the tag both ways, a bulk update followed to
its end, and the tag emptied and deleted. The passes stay; the tag has a name of its own, so the demo can be repeated.
"""

from __future__ import annotations

import json
import secrets
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
import httpx

PASSES = 2_000
TAGGED = 1_200
PASSES_PER_REQUEST = 200
PAGE_SIZE = 100
SPOT_CHECKS = 60
"""passes read with the tag, and as many without"""
THREADS = 6

_POLL_SECONDS = 0.1
_UPDATE_SECONDS = 120.0
_ENDED = ("COMPLETED", "FAILED", "ABORTED", "ABANDONED")

_OLD = {"Points": "0", "Level": "Bronze"}
_NEW = {"Points": "2500", "Level": "Gold"}
_TEMPLATE = {
    "name": "Demo loyalty card",
    "vendor": "Apple",
    "type": "Store Card",
    "projectType": "loyalty",
    "fields": {
        "Points": {"fieldType": "primary", "label": "Points", "value": _OLD["Points"]},
        "Level": {"fieldType": "secondary", "label": "Level", "value": _OLD["Level"]},
        "Member": {"fieldType": "auxiliary", "label": "Member", "value": ""},
    },
}


class DemoError(Exception):
    """Something differs from what it must be, or nothing answers; the message says what."""


@dataclass(frozen=True)
class Target:
    """Where to play, and with which credentials."""

    url: str
    key: str
    secret: str


@dataclass(frozen=True)
class Cast:
    """The passes of this run, by id; the value is the pass's number as a member."""

    tag: str
    template_id: int
    tagged: dict[int, str]
    untagged: dict[int, str]


class Api:
    """The Airship dialect, over a client that has the credentials."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    def call(self, method: str, path: str, *, status: int = 200, **more: Any) -> Any:
        """The JSON of an answer that must have this status.

        Raises:
            DemoError: it has not, or there is none.
        """
        try:
            answer = self._http.request(method, path, **more)
            document = answer.json()
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise DemoError(
                f"{self._http.base_url} does not answer ({error}); `make run` starts a local stack"
            ) from error
        except ValueError as error:
            raise DemoError(f"{method} {path} answered {answer.status_code} and no JSON") from error
        if answer.status_code != status:
            raise DemoError(f"{method} {path} answered {answer.status_code} where {status} is right: {answer.text}")
        return document


def connect(target: Target) -> httpx.Client:
    """A client for the target; a proxy of the shell's serves only what is not on this machine."""
    return httpx.Client(
        base_url=target.url,
        auth=(target.key, target.secret),
        headers={"Api-Revision": "1.2"},
        timeout=60,
        trust_env=urlsplit(target.url).hostname not in ("127.0.0.1", "localhost"),
    )


def expect(what: str, actual: object, right: object) -> None:
    """Ends the demo unless both are equal.

    Raises:
        DemoError
    """
    if actual != right:
        raise DemoError(f"{what}: {actual!r:.300} where {right!r:.300} is right")


class Watch:
    """Seconds since it was made."""

    def __init__(self) -> None:
        self._start = time.perf_counter()

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self._start

    def rate(self, number: int, unit: str = "passes") -> str:
        """Such as `in 2.0 s (600 passes a second)`."""
        return f"in {self.seconds:.1f} s ({number / self.seconds:,.0f} {unit} a second)"


@contextmanager
def _bar(label: str, *, length: int) -> Iterator[Callable[[int], None]]:
    """A progress bar where there is a terminal; yields what moves it on by a number of steps."""
    with click.progressbar(
        length=length, label=f"{label:<16}", show_pos=True, file=sys.stderr, hidden=not sys.stderr.isatty()
    ) as bar:
        yield bar.update


def create_passes(api: Api) -> Cast:
    """A template, and passes of it in requests of 200; three of five are to be tagged."""
    watch = Watch()
    template_id = api.call("POST", "/v1/template", json=_TEMPLATE)["templateId"]
    members = [f"M-{number:05}" for number in range(PASSES)]
    ids: list[int] = []
    with _bar("Creating", length=PASSES) as advance:
        for start in range(0, PASSES, PASSES_PER_REQUEST):
            portion = members[start : start + PASSES_PER_REQUEST]
            documents = [{"fields": {"Member": {"value": member}}} for member in portion]
            answer = api.call("POST", f"/v1/pass/{template_id}/bulk", json={"passes": documents})
            expect("passes created and failed", (answer["created"], answer["failed"]), (len(portion), 0))
            ids += [int(pass_["id"]) for pass_ in answer["passes"]]
            advance(len(portion))
    expect("different pass ids", len(set(ids)), PASSES)
    expect("passes of the template", api.call("GET", f"/v1/template/{template_id}/passes")["count"], PASSES)
    tagged = {id_: member for number, (id_, member) in enumerate(zip(ids, members, strict=True)) if number % 5 < 3}
    untagged = {id_: member for id_, member in zip(ids, members, strict=True) if id_ not in tagged}
    expect("passes to tag", len(tagged), TAGGED)
    click.echo(f"Created {PASSES:,} passes of template {template_id} {watch.rate(PASSES)}")
    return Cast(tag=f"demo-{secrets.token_hex(4)}", template_id=template_id, tagged=tagged, untagged=untagged)


def add_tags(api: Api, cast: Cast) -> None:
    """One request a pass, six at a time."""

    def add(pass_id: int) -> None:
        answer = api.call("PUT", f"/v1/pass/{pass_id}/tags", json={"tags": [cast.tag]})
        expect(f"tagging pass {pass_id}", answer, {"newTags": [cast.tag], "mappings": 1})

    watch = Watch()
    with _bar("Tagging", length=TAGGED) as advance, ThreadPoolExecutor(THREADS) as threads:
        for _ in threads.map(add, cast.tagged):
            advance(1)
    click.echo(f"Tagged {TAGGED:,} of them {cast.tag} {watch.rate(TAGGED)}")


def walk_pages(api: Api, cast: Cast) -> None:
    """Every page of the tag, forward and backward, and the page after the last; then the totals by status."""
    right = sorted(cast.tagged)
    for direction, order in (("ASC", right), ("DESC", right[::-1])):
        watch = Watch()
        found: list[int] = []
        pages = TAGGED // PAGE_SIZE + 1
        with _bar(f"Pages {direction}", length=pages) as advance:
            for page in range(1, pages + 1):
                found += _read_page(api, cast, page=page, direction=direction)
                advance(1)
        expect(f"pass ids of the tag, {direction}", found, order)
        click.echo(f"Walked {pages} pages {direction} with {len(found):,} passes {watch.rate(pages, 'pages')}")
    for status, count in (("not_been_installed", TAGGED), ("installed", 0), ("uninstalled", 0), ("been_installed", 0)):
        answer = api.call("GET", f"/v1/tag/{cast.tag}/passes", params={"status": status, "pageSize": PAGE_SIZE})
        expect(f"passes that are {status}", (answer["count"], len(answer["passes"])), (count, min(count, PAGE_SIZE)))
    click.echo(f"Counted {TAGGED:,} not_been_installed, 0 installed, 0 uninstalled")


def _read_page(api: Api, cast: Cast, *, page: int, direction: str) -> list[int]:
    query: dict[str, Any] = {"page": page, "pageSize": PAGE_SIZE, "order": "id", "direction": direction}
    answer = api.call("GET", f"/v1/tag/{cast.tag}/passes", params=query)
    expect(f"total on page {page}", answer["count"], TAGGED)
    echoed = query | {"start": (page - 1) * PAGE_SIZE, "direction": direction.lower()}
    expect(f"pagination of page {page}", answer["pagination"], echoed)
    expect(f"template on page {page}", {each["templateId"] for each in answer["passes"]} - {cast.template_id}, set())
    return [each["id"] for each in answer["passes"]]


def update_tagged(api: Api, cast: Cast) -> None:
    """Two fields of every tagged pass, followed through the ticket to COMPLETED."""
    watch, processed = Watch(), 0
    fields = {name: {"value": value} for name, value in _NEW.items()}
    ticket_id = api.call("PUT", f"/v1/tag/{cast.tag}/passes", json={"fields": fields})["ticketId"]
    with _bar("Bulk update", length=TAGGED) as advance:
        while True:
            ticket = api.call("GET", f"/v1/ticket/{ticket_id}")
            advance(ticket["progress"]["processed"] - processed)
            processed = ticket["progress"]["processed"]
            if ticket["Status"] in _ENDED:
                break
            if watch.seconds > _UPDATE_SECONDS:
                raise DemoError(f"ticket {ticket_id} is not finished after {_UPDATE_SECONDS:.0f} s: {ticket}")
            time.sleep(_POLL_SECONDS)
    rate = watch.rate(TAGGED)
    expect(f"status of ticket {ticket_id}", ticket["Status"], "COMPLETED")
    right = {"total": TAGGED, "processed": TAGGED, "changed": TAGGED, "failed": 0}
    expect(f"progress of ticket {ticket_id}", ticket["progress"], right)
    click.echo(f"Updated {TAGGED:,} passes with ticket {ticket_id} {rate}")


def spot_check(api: Api, cast: Cast) -> None:
    """Passes spread over the run: those with the tag show the update, those without it do not, and no other field."""
    watch = Watch()
    chosen = [
        (pass_id, member, values, tags)
        for passes, values, tags in ((cast.tagged, _NEW, [cast.tag]), (cast.untagged, _OLD, []))
        for pass_id, member in list(passes.items())[:: len(passes) // SPOT_CHECKS][:SPOT_CHECKS]
    ]
    expect("passes to look at", len(chosen), 2 * SPOT_CHECKS)
    with _bar("Spot check", length=len(chosen)) as advance:
        for pass_id, member, values, tags in chosen:
            pass_ = api.call("GET", f"/v1/pass/{pass_id}")
            shown = {name: entry["value"] for name, entry in pass_["fields"].items()}
            expect(f"fields of pass {pass_id}", shown, values | {"Member": member})
            expect(f"tags of pass {pass_id}", pass_["tags"], tags)
            advance(1)
    click.echo(f"Checked {SPOT_CHECKS} passes with the tag and {SPOT_CHECKS} without {watch.rate(len(chosen))}")


def empty_and_delete_tag(api: Api, cast: Cast) -> None:
    """Off all passes at once; the tag stays until it is deleted itself."""
    watch = Watch()
    emptied = api.call("DELETE", f"/v1/tag/{cast.tag}/passes")
    seconds = watch.seconds
    expect("emptying the tag", (emptied["count"], emptied["status"]), (TAGGED, "success"))
    listing = api.call("GET", f"/v1/tag/{cast.tag}/passes")
    expect("listing of the emptied tag", (listing["count"], listing["passes"]), (0, []))
    for pass_id in (min(cast.tagged), max(cast.tagged)):
        expect(f"tags of pass {pass_id}", api.call("GET", f"/v1/pass/{pass_id}/tags"), {"tags": []})
    deleted = api.call("DELETE", f"/v1/tag/{cast.tag}")
    expect("deleting the tag", deleted, {"status": "success", "tagId": emptied["tagId"], "count": 0})
    api.call("GET", f"/v1/tag/{cast.tag}/passes", status=404)
    click.echo(f"Emptied the tag of {TAGGED:,} passes in {seconds * 1000:.0f} ms, then deleted it")


def play(api: Api) -> None:
    """The whole story.

    Raises:
        DemoError: as soon as anything differs.
    """
    watch = Watch()
    expect("system status", api.call("GET", "/v1/system/status"), {"Hello": "World"})
    cast = create_passes(api)
    add_tags(api, cast)
    walk_pages(api, cast)
    update_tagged(api, cast)
    spot_check(api, cast)
    empty_and_delete_tag(api, cast)
    click.echo(f"Everything was as it must be. {watch.seconds:.1f} s in all")


def read_target(data: Path) -> Target:
    """The stack that runs on a data folder.

    Raises:
        DemoError: none does.
    """
    try:
        content = json.loads((data / "run.json").read_text(encoding="utf-8"))
        return Target(url=content["url"], key=content["key"], secret=content["secret"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DemoError(f"no local stack runs on the data folder {data}; `make run` starts one") from error


@click.command(help=__doc__)
@click.option(
    "--data",
    envvar="DATA",
    default=".local",
    show_default=True,
    type=click.Path(path_type=Path),
    help="Data folder of the running local stack.",
)
@click.option("--url", envvar="PASSEL_URL", help="Another deployment, with the stage; needs key and secret too.")
@click.option("--key", envvar="PASSEL_KEY")
@click.option("--secret", envvar="PASSEL_SECRET")
def command(*, data: Path, url: str | None, key: str | None, secret: str | None) -> None:
    if any((url, key, secret)) and not (url and key and secret):
        raise click.UsageError("--url, --key and --secret go together")
    try:
        target = Target(url=url, key=key, secret=secret) if url and key and secret else read_target(data)
        with connect(target) as http:
            play(Api(http))
    except DemoError as error:
        raise click.ClickException(str(error)) from error
    except KeyError as error:
        raise click.ClickException(f"an answer lacks {error}") from error


if __name__ == "__main__":
    command(prog_name="python -m local.demo")
