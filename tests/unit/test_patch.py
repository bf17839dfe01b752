"""The few bytes that change, and everything else that does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backburn.patch import Edit, PatchDoesNotFit, apply, inverse, make, unapplied

FILES = {"a.py": b"\xef\xbb\xbfcpu=\"512\"\r\nmemory='1024'\r\n", "b.yaml": b"x: 1"}
EDITS = (
    Edit(file="a.py", start=22, old="1024", new="2048"),
    Edit(file="a.py", start=8, old="512", new="1024"),
)


def test_every_other_byte_is_as_it_was() -> None:
    """Line ends, byte order mark and quotes stay; the other file too."""
    after = apply(make(FILES, EDITS), FILES)
    assert after == FILES | {"a.py": b"\xef\xbb\xbfcpu=\"1024\"\r\nmemory='2048'\r\n"}


def test_the_inverse_restores_byte_for_byte() -> None:
    """What was applied can be taken back, though the edits moved each other."""
    patch = make(FILES, EDITS)
    assert unapplied(patch, apply(patch, FILES)) == FILES
    back = inverse(patch, apply(patch, FILES))
    assert [(e.old, e.new) for e in back.edits] == [("1024", "512"), ("2048", "1024")]


def test_the_diff_shows_what_changes() -> None:
    """A unified diff with the file's name; its digest is bound."""
    patch = make({"a.py": b"cpu = 512\n"}, (Edit(file="a.py", start=6, old="512", new="1024"),))
    assert patch.diff.splitlines()[:2] == ["--- a/a.py", "+++ b/a.py"]
    assert patch.diff.splitlines()[3:5] == ["-cpu = 512", "+cpu = 1024"]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"b.yaml": b"x: 1"}, "not in the bundle"),
        ({"a.py": b"cpu=512"}, "no '1024' at byte"),
        ({"a.py": FILES["a.py"] + b"# more\n"}, "not what its edits do"),
    ],
)
def test_a_patch_does_not_fit_another_text(files: dict[str, bytes], said: str) -> None:
    """Moved, missing, or other lines around it: the diff would not be the approved one."""
    patch = make(FILES, EDITS)
    with pytest.raises(PatchDoesNotFit, match=said):
        apply(patch, files)


def test_law_2_a_diff_that_is_not_what_the_edits_do_is_refused() -> None:
    """Shown and done cannot be told apart by tampering with one of them."""
    patch = make(FILES, EDITS)
    for tampered in (
        patch.model_copy(update={"diff": patch.diff.replace("2048", "1025")}),
        patch.model_copy(update={"sha256": "0" * 64}),
        patch.model_copy(
            update={"edits": (*patch.edits, Edit(file="b.yaml", start=3, old="1", new="9"))}
        ),
    ):
        with pytest.raises(PatchDoesNotFit, match="not what its edits do"):
            apply(tampered, FILES)


def test_edits_that_meet_are_refused() -> None:
    """Two edits of one place have no meaning."""
    with pytest.raises(PatchDoesNotFit, match="two edits meet"):
        make(FILES, (EDITS[0], Edit(file="a.py", start=24, old="24", new="25")))


@given(st.text("512 \n\r=", min_size=1), st.text("abc", max_size=5))
def test_any_edit_can_be_taken_back(text: str, new: str) -> None:
    """The inverse of a patch of any text is the way back."""
    files = {"x": text.encode()}
    patch = make(files, (Edit(file="x", start=0, old=text[:1], new=new),))
    assert unapplied(patch, apply(patch, files)) == files
