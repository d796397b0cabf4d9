"""Phones of several wallets, and Google: they take passes and give them up, and ask what is new."""

from __future__ import annotations

import httpx
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from chalicelib.domain.http_dates import parse_http_date
from tests.model.base import pick, which
from tests.model.ledger import Device, Pass, Registration
from tests.model.writing_rules import WritingRules
from tests.support.phones import STYLES, PassFile, new_push_token, read_pass_file, token_of

GOOGLE = "google"


class DeviceRules(WritingRules):
    """What devices do."""

    @precondition(lambda self: self.passes)
    @rule(device=which, which_pass=which, renewed=st.booleans(), everyone=st.booleans())
    def register(self, device: int, which_pass: int, renewed: bool, everyone: bool) -> None:
        """A device, or all, take a pass, or say again that they have it, maybe under a new push token."""
        pass_ = pick(self.passes, which_pass)
        self.touch(pass_)
        for owner in self.world.devices if everyone else [pick(self.world.devices, device)]:
            held = self.download(owner, pass_)
            if renewed:
                owner.phone.push_token = new_push_token()
            answer = owner.phone.register(held)
            known = pass_.registrations.get(owner.name)
            assert (answer.status_code, answer.content) == (200 if known else 201, b""), answer.text
            if known is not None:
                known.push_token = owner.phone.push_token
                continue
            pass_.hold(owner.name, Registration(self.world.next(), str(owner.phone.wallet), owner.phone.push_token))

    def download(self, device: Device, pass_: Pass) -> PassFile:
        """The file of a pass as the device has it; the first time it is downloaded."""
        if pass_ not in device.files:
            held = device.phone.add(pass_.url)
            assert held.serial_number == pass_.serial_number
            pass_.template.events["downloads"] += 1
            self._keep(device, pass_, held)
        return device.files[pass_]

    def _keep(self, device: Device, pass_: Pass, file: PassFile) -> None:
        """A file that shows what the model says, and is younger than the one before only if the pass has changed."""
        before = device.files.get(pass_)
        if before is not None:
            assert _stamp(file) > _stamp(before)
        shown = pass_.shown
        assert _fields(file) == {key: "" if value is None else value for key, value in shown.placed().items()}
        assert file.document.get("voided", False) == shown.is_voided
        assert file.document["description"] == shown.parts["description"]
        device.files[pass_], device.versions[pass_] = file, pass_.version

    @precondition(lambda self: any(device.files for device in self.world.devices))
    @rule(device=which, which_pass=which, everyone=st.booleans())
    def unregister(self, device: int, which_pass: int, everyone: bool) -> None:
        """A device, or all that have its file, give a pass up, once or again."""
        chosen = pick([each for each in self.world.devices if each.files], device)
        pass_ = pick([each for each in chosen.files if not each.deleted] or list(chosen.files), which_pass)
        for owner in self.world.devices if everyone else [chosen]:
            if pass_ not in owner.files:
                continue
            answer = owner.phone.unregister(owner.files[pass_])
            if pass_.deleted:
                check_unauthorized(answer)
            else:
                assert (answer.status_code, answer.content) == (200, b"")
                pass_.release(owner.name)
                self.touch(pass_)

    @precondition(lambda self: any(device.files for device in self.world.devices))
    @rule(device=which, with_tag=st.booleans())
    def poll(self, device: int, with_tag: bool) -> None:
        """Asks what has changed and takes all of it: each is another version, or one that may be."""
        owner = pick([each for each in self.world.devices if each.files], device)
        answer = self.ask(owner, with_tag=with_tag)
        if answer is None:
            return
        listed, owner.tag = answer
        held = owner.held(self.world.projects)
        owner.told = {registration: pass_.version for pass_, registration in held.items()}
        for pass_ in held:
            if pass_.serial_number in listed:
                self.fetch(owner, pass_)

    def ask(self, device: Device, *, with_tag: bool = True) -> tuple[set[str], str] | None:
        """Serial numbers and tag of what the device is told of, which must be what the model says."""
        expected = device.news(self.world.projects, with_tag=with_tag)
        answer = device.phone.ask(next(iter(device.files.values())), device.tag if with_tag else None)
        assert answer.status_code == (200 if expected else 204), (answer.status_code, answer.text, expected)
        if not expected:
            assert answer.content == b""
            return None
        document = answer.json()
        assert sorted(document["serialNumbers"]) == sorted(expected)
        tag = document["lastUpdated"]
        assert isinstance(tag, str)
        assert tag
        assert not with_tag or tag != device.tag
        return expected, tag

    def fetch(self, device: Device, pass_: Pass) -> None:
        """304 where the device has this version, else the file."""
        before = device.files[pass_]
        answer = device.phone.fetch(before, since=before.last_modified)
        if device.versions[pass_] == pass_.version:
            assert (answer.status_code, answer.content) == (304, b"")
            return
        pass_.template.events["fetches"] += 1
        self._keep(device, pass_, read_pass_file(answer))
        self.touch(pass_)

    @precondition(lambda self: any(device.files for device in self.world.devices))
    @rule(device=which, which_pass=which, changes=st.sampled_from((0, 0, 3)))
    def fetch_any(self, device: int, which_pass: int, changes: int) -> None:
        """Pulled down by hand, also between changes: registered or not, but not once the pass is deleted."""
        owner = pick([each for each in self.world.devices if each.files], device)
        pass_ = pick(list(owner.files), which_pass)
        if pass_.deleted:
            held = owner.files[pass_]
            check_unauthorized(owner.phone.fetch(held), owner.phone.register(held), owner.phone.unregister(held))
            return
        self.fetch(owner, pass_)
        for turn in range(changes):
            # within a second, if the machine is not too busy: the stamps must differ all the same
            self.update_one(pass_, 0, {"fields": {"Tier": {"value": f"{self.world.moment} {turn}"}}})
            self.fetch(owner, pass_)

    @precondition(lambda self: sum(len(device.files) for device in self.world.devices) > 1)
    @rule(device=which, which_pass=which, other=which)
    def come_with_anothers_token(self, device: int, which_pass: int, other: int) -> None:
        """Nothing is told and nothing changes."""
        owner = pick([each for each in self.world.devices if each.files], device)
        files = [file for each in self.world.devices for file in each.files.values()]
        mine, others = pick(list(owner.files.values()), which_pass), pick(files, other)
        if mine.serial_number == others.serial_number:
            return
        wrong = {"Authorization": f"{owner.phone.scheme} {token_of(others)}"}
        phone = owner.phone
        check_unauthorized(
            phone.fetch(mine, headers=wrong),
            phone.register(mine, headers=wrong),
            phone.unregister(mine, headers=wrong),
        )

    @precondition(lambda self: self.passes)
    @rule(which_pass=which, saves=st.booleans(), twice=st.booleans())
    def save_at_google(self, which_pass: int, saves: bool, twice: bool) -> None:
        """Google tells that a pass was saved or deleted, and maybe tells it again."""
        pass_ = pick(self.passes, which_pass)
        callback = self.google.sign(pass_.serial_number, event="save" if saves else "del")
        for _ in range(1 + twice):
            answer = self.google.post(callback)
            assert (answer.status_code, answer.content) == (200, b"")
        self.touch(pass_)
        if not saves:
            pass_.release(GOOGLE)
        elif GOOGLE not in pass_.registrations:
            pass_.hold(GOOGLE, Registration(self.world.next(), "google_wallet", pass_.serial_number))


def check_unauthorized(*answers: httpx.Response) -> None:
    """Asserts that nothing is told, not even whether there is such a pass (wallets, section 2.1)."""
    assert [answer.status_code for answer in answers] == [401] * len(answers)


def _stamp(file: PassFile) -> int:
    found = parse_http_date(file.last_modified or "")
    assert found is not None
    return found


def _fields(file: PassFile) -> dict[str, object]:
    """Every field of the file, wherever it stands."""
    (style,) = (file.document[name] for name in STYLES if name in file.document)
    return {each["key"]: each["value"] for rows in style.values() if isinstance(rows, list) for each in rows}
