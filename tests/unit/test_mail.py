from __future__ import annotations

import re
from pathlib import Path
from string import Template

import pytest

import backburn
from backburn import mail

MAILS = sorted((Path(backburn.__file__).parent / "mails").glob("*.txt"))


class Words(dict[str, str]):
    """Some text for whatever a mail asks for."""

    def __missing__(self, name: str) -> str:
        return f"<{name}>"


@pytest.mark.parametrize("file", MAILS, ids=lambda file: file.stem)
def test_every_mail_is_plain_text_with_a_subject(file: Path) -> None:
    """ASCII subject on one line of less than 100 characters; lines that fit a phone's reader."""
    subject, text = mail.write(file.stem, Words())
    assert subject.isascii()
    assert "Subject:" not in subject
    assert len(subject) < 100
    assert "$" not in text
    assert max(map(len, Template(text).template.splitlines())) <= 100


def test_values_are_not_read_as_templates() -> None:
    """A dollar in a stranger's text stays a dollar."""
    letter = mail.write("no_workload", Words(summary="$delivery costs $5"))
    assert "$delivery costs $5" in letter.text


def test_law_7_a_subject_is_one_short_ascii_line() -> None:
    """SNS sends no mail at all with anything else: no proposal, and no word to the operators."""
    subject, _ = mail.write("no_workload", Words(slo="Z\u00fcrich\r\n\0\x1b[0m" + "x" * 200))
    assert "Z?rich [0mxxx" in subject
    assert len(subject) == 99


def test_a_value_that_is_missing_is_an_error() -> None:
    """Never a mail with a hole in it."""
    with pytest.raises(KeyError):
        mail.write("approve", {})


def test_lines_become_a_list() -> None:
    """As plain text has them."""
    assert mail.bullets(["a", "b"]) == "  - a\n  - b"


def test_commands_in_mails_exist() -> None:
    """Every `python -m backburn ...` of a mail is one of the CLI's."""
    desk = (Path(backburn.__file__).parent / "__main__.py").read_text()
    for file in MAILS:
        for command in re.findall(r"python -m backburn (\w+)", file.read_text()):
            assert f'"{command}"' in desk
