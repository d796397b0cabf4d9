"""Tags: put on, taken off, emptied, deleted."""

from __future__ import annotations

from urllib.parse import quote

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.model.base import LARGEST_TAGS, NAMES, Base, pass_segment, pick, tag_segment, which

_few = st.lists(st.sampled_from(NAMES[:6]), min_size=1, max_size=3)
_many = st.lists(st.sampled_from(NAMES), min_size=9, max_size=LARGEST_TAGS + 2)


class TagRules(Base):
    """What becomes of tags."""

    @precondition(lambda self: self.passes)
    @rule(which_pass=which, names=_few | _many, form=which, spaces=st.booleans())
    def tag(self, which_pass: int, names: list[str], form: int, spaces: bool) -> None:
        """Adds them all, or none if there would be too many, then one too many; a name may have spaces around it."""
        pass_ = pick(self.passes, which_pass)
        owner = pass_.template.project
        segment, status = pass_segment(pass_, form)
        path = f"/v1/pass/{segment}/tags"
        body = {"tags": [f" {name} " if spaces else name for name in names]}
        self.touch(pass_)
        present = {tag.name for tag in pass_.tags}
        if status != 200 or len(present | set(names)) > LARGEST_TAGS:
            self.refuse(owner, "PUT", path, body, status=400)
            return
        expected = [name for name in dict.fromkeys(names) if name not in present]
        assert self.call(owner, "PUT", path, body) == {"newTags": expected, "mappings": len(expected)}
        assert owner.put_on(pass_, names) == expected
        missing = [name for name in NAMES if name not in present | set(names)]
        body = {"tags": missing[: LARGEST_TAGS + 1 - len(pass_.tags)]}
        self.refuse(owner, "PUT", path, body, status=400)

    @precondition(lambda self: self.passes and self.tags)
    @rule(which_pass=which, which_tag=which, form=which, anything=st.integers(0, 3))
    def untag(self, which_pass: int, which_tag: int, form: int, anything: int) -> None:
        """Mostly a tag that the pass has; of any other there is nothing to take off."""
        tagged = [each for each in self.passes if each.tags] if anything else []
        pass_ = pick(tagged or self.passes, which_pass)
        owner = pass_.template.project
        known = sorted(pass_.tags if tagged else owner.tags, key=lambda tag: tag.name)
        if not known:
            return
        tag = pick(known, which_tag)
        segment, status = pass_segment(pass_, form)
        if segment.startswith("template/"):  # there is no such form here (airship-wallet-v1, 9.8)
            segment, status = str(pass_.pass_id), 200
        path = f"/v1/tag/{tag_segment(owner, tag, form)}/pass/{segment}"
        self.touch(pass_)
        if status != 200 or tag not in pass_.tags:
            self.refuse(owner, "DELETE", path, status=404 if status == 200 else status)
            return
        expected = {"passId": pass_.pass_id, "status": "success", "tagId": tag.tag_id}
        assert self.call(owner, "DELETE", path) == expected
        pass_.tags.remove(tag)

    @precondition(lambda self: self.tags)
    @rule(which_tag=which, form=which, delete=st.booleans())
    def clear(self, which_tag: int, form: int, delete: bool) -> None:
        """Takes a tag off all its passes, and maybe ends it."""
        owner, tag = pick(self.tags, which_tag)
        members = owner.tagged(tag)
        path = f"/v1/tag/{tag_segment(owner, tag, form)}"
        self.touch(owner, *members[:1])
        answer = self.call(owner, "DELETE", path if delete else f"{path}/passes")
        assert answer == {"count": len(members), "status": "success", "tagId": tag.tag_id}
        for each in members:
            each.tags.remove(tag)
        tag.emptied += 1
        if delete:
            tag.deleted = True
            owner.tags.remove(tag)
            if owner.tag(str(tag.tag_id)) is None:
                self.refuse(owner, "GET", f"/v1/tag/{tag.tag_id}/passes", status=404)
            if all(str(other.tag_id) != tag.name for other in owner.tags):
                self.refuse(owner, "DELETE", f"/v1/tag/{quote(tag.name, safe='')}", status=404)
