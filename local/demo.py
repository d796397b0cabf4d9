"""`python -m local.demo`: plays a team's day against the running stack over HTTP, and checks every answer.

2,000 passes of a new template, a new tag on 1,200 of them, every page of the tag both ways; seven phones that install
some; a bulk update followed to its end: each phone that holds a changed pass is pushed, asks what changed, fetches it
and shows it; an update of one pass alone; the phones remove their passes, and the tag is emptied and deleted. The
passes stay; template and tag have names of their own, so the demo can be repeated. With --url the phones poll: only a
stack of this machine plays the push services too.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import click
import httpx

from local.demo_cast import LATEST, NEW, OLD, PASSES, TAGGED, Cast, Update
from local.demo_client import Api, DemoError, Pushes, Target, connect, connect_as_stranger, expect, read_target
from local.demo_devices import (
    expect_pushes,
    find_registrations,
    find_shared,
    install_passes,
    receive_update,
    remove_passes,
)
from local.demo_progress import Watch, show_bar

PASSES_PER_REQUEST = 200
PAGE_SIZE = 100
SPOT_CHECKS = 60
"""passes read with the tag, and as many without"""
THREADS = 6

_POLL_SECONDS = 0.1
_UPDATE_SECONDS = 120.0
_ENDED = ("COMPLETED", "FAILED", "ABORTED", "ABANDONED")

_TEMPLATE = {
    "vendor": "Apple",
    "type": "Store Card",
    "projectType": "loyalty",
    "fields": {
        "Points": {"fieldType": "primary", "label": "Points", "value": OLD["Points"]},
        "Level": {"fieldType": "secondary", "label": "Level", "value": OLD["Level"]},
        "Member": {"fieldType": "auxiliary", "label": "Member", "value": ""},
    },
}


def create_passes(api: Api) -> Cast:
    """A template, and passes of it in requests of 200; three of five are to be tagged."""
    watch = Watch()
    run = secrets.token_hex(4)
    name = f"Demo loyalty card {run}"
    template_id = api.call("POST", "/v1/template", json={**_TEMPLATE, "name": name})["templateId"]
    members = [f"M-{number:05}" for number in range(PASSES)]
    links: dict[int, str] = {}
    with show_bar("Creating", length=PASSES) as advance:
        for start in range(0, PASSES, PASSES_PER_REQUEST):
            portion = members[start : start + PASSES_PER_REQUEST]
            documents = [{"fields": {"Member": {"value": member}}} for member in portion]
            answer = api.call("POST", f"/v1/pass/{template_id}/bulk", json={"passes": documents})
            expect("passes created and failed", (answer["created"], answer["failed"]), (len(portion), 0))
            links |= {int(pass_["id"]): pass_["url"] for pass_ in answer["passes"]}
            advance(len(portion))
    expect("different pass ids", len(links), PASSES)
    expect("passes of the template", api.call("GET", f"/v1/template/{template_id}/passes")["count"], PASSES)
    tagged = {id_: member for number, (id_, member) in enumerate(zip(links, members, strict=True)) if number % 5 < 3}
    untagged = {id_: member for id_, member in zip(links, members, strict=True) if id_ not in tagged}
    expect("passes to tag", len(tagged), TAGGED)
    click.echo(f"Created {PASSES:,} passes of template {template_id} {watch.rate(PASSES)}")
    return Cast(name=name, tag=f"demo-{run}", template_id=template_id, tagged=tagged, untagged=untagged, links=links)


def add_tags(api: Api, cast: Cast) -> None:
    """One request a pass, six at a time."""

    def add(pass_id: int) -> None:
        answer = api.call("PUT", f"/v1/pass/{pass_id}/tags", json={"tags": [cast.tag]})
        expect(f"tagging pass {pass_id}", answer, {"newTags": [cast.tag], "mappings": 1})

    watch = Watch()
    with show_bar("Tagging", length=TAGGED) as advance, ThreadPoolExecutor(THREADS) as threads:
        for _ in threads.map(add, cast.tagged):
            advance(1)
    click.echo(f"Tagged {TAGGED:,} of them {cast.tag} {watch.rate(TAGGED)}")


def walk_pages(api: Api, cast: Cast) -> None:
    """Every page of the tag, forward and backward, and the page after the last."""
    right = sorted(cast.tagged)
    for direction, order in (("ASC", right), ("DESC", right[::-1])):
        watch = Watch()
        found: list[int] = []
        pages = TAGGED // PAGE_SIZE + 1
        with show_bar(f"Pages {direction}", length=pages) as advance:
            for page in range(1, pages + 1):
                found += _read_page(api, cast, page=page, direction=direction)
                advance(1)
        expect(f"pass ids of the tag, {direction}", found, order)
        click.echo(f"Walked {pages} pages {direction} with {len(found):,} passes {watch.rate(pages, 'pages')}")


def _read_page(api: Api, cast: Cast, *, page: int, direction: str) -> list[int]:
    query: dict[str, Any] = {"page": page, "pageSize": PAGE_SIZE, "order": "id", "direction": direction}
    answer = api.call("GET", f"/v1/tag/{cast.tag}/passes", params=query)
    expect(f"total on page {page}", answer["count"], TAGGED)
    echoed = query | {"start": (page - 1) * PAGE_SIZE, "direction": direction.lower()}
    expect(f"pagination of page {page}", answer["pagination"], echoed)
    expect(f"template on page {page}", {each["templateId"] for each in answer["passes"]} - {cast.template_id}, set())
    return [each["id"] for each in answer["passes"]]


def count_by_status(
    api: Api, cast: Cast, *, installed: Collection[int] = (), uninstalled: Collection[int] = ()
) -> None:
    """The totals of the tag by status, and the first page of each."""
    been_installed = {*installed, *uninstalled}
    never = cast.tagged.keys() - been_installed
    right = {
        "not_been_installed": never,
        "installed": installed,
        "uninstalled": uninstalled,
        "been_installed": been_installed,
    }
    for status, ids in right.items():
        query = {"status": status, "pageSize": PAGE_SIZE, "order": "id", "direction": "ASC"}
        answer = api.call("GET", f"/v1/tag/{cast.tag}/passes", params=query)
        expect(f"number of passes that are {status}", answer["count"], len(ids))
        expect(f"passes that are {status}", [each["id"] for each in answer["passes"]], sorted(ids)[:PAGE_SIZE])
    click.echo(f"Counted {len(never):,} not_been_installed, {len(installed)} installed, {len(uninstalled)} uninstalled")


def update_tagged(api: Api, cast: Cast) -> None:
    """Two fields of every tagged pass, followed through the ticket to COMPLETED."""
    watch, processed = Watch(), 0
    fields = {name: {"value": value} for name, value in NEW.items()}
    ticket_id = api.call("PUT", f"/v1/tag/{cast.tag}/passes", json={"fields": fields})["ticketId"]
    with show_bar("Bulk update", length=TAGGED) as advance:
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


def update_one(api: Api, pass_id: int) -> None:
    """One field of one pass, with a ticket that is finished when it is answered."""
    watch = Watch()
    fields = {name: {"value": value} for name, value in LATEST.items()}
    ticket_id = api.call("PUT", f"/v1/pass/{pass_id}", json={"fields": fields})["ticketId"]
    click.echo(f"Updated pass {pass_id} alone with ticket {ticket_id} in {watch.seconds * 1000:.0f} ms")


def spot_check(api: Api, cast: Cast) -> None:
    """Passes spread over the run: those with the tag show the update, those without it do not, and no other field."""
    watch = Watch()
    chosen = [
        (pass_id, member, values, tags)
        for passes, values, tags in ((cast.tagged, NEW, [cast.tag]), (cast.untagged, OLD, []))
        for pass_id, member in list(passes.items())[:: len(passes) // SPOT_CHECKS][:SPOT_CHECKS]
    ]
    expect("passes to look at", len(chosen), 2 * SPOT_CHECKS)
    with show_bar("Spot check", length=len(chosen)) as advance:
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


def play(api: Api, *, air: httpx.Client, pushes: Pushes | None) -> None:
    """The whole story. Phones are on the air; they poll where nobody hears of pushes.

    Raises:
        DemoError: as soon as anything differs.
    """
    watch = Watch()
    expect("system status", api.call("GET", "/v1/system/status"), {"Hello": "World"})
    cast = create_passes(api)
    add_tags(api, cast)
    walk_pages(api, cast)
    count_by_status(api, cast)
    holdings = install_passes(cast, air=air)
    on_phones = cast.tagged.keys() & {pass_id for holding in holdings for pass_id in holding.serial_numbers}
    count_by_status(api, cast, installed=on_phones)
    find_registrations(api, cast, holdings)
    updates = [Update(cast.tagged, NEW)]
    receive_update(cast, holdings, updates, pushes=pushes, ask=lambda: update_tagged(api, cast))
    spot_check(api, cast)
    shared = find_shared(holdings)
    updates.append(Update([shared], LATEST))
    receive_update(cast, holdings, updates, pushes=pushes, ask=lambda: update_one(api, shared))
    remove_passes(holdings)
    count_by_status(api, cast, uninstalled=on_phones)
    find_registrations(api, cast, holdings)
    empty_and_delete_tag(api, cast)
    if pushes is not None:
        expect_pushes(holdings, updates, pushes)
    click.echo(f"Everything was as it must be. {watch.seconds:.1f} s in all")


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
        with connect(target) as http, connect_as_stranger(target) as air:
            play(Api(http), air=air, pushes=Pushes(air, target.pushes) if target.pushes else None)
    except DemoError as error:
        raise click.ClickException(str(error)) from error
    except KeyError as error:
        raise click.ClickException(f"an answer lacks {error}") from error


if __name__ == "__main__":
    command(prog_name="python -m local.demo")
