"""What a build says, in a shell's language."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backburn.errors import (
    Abstained,
    Braked,
    Broken,
    BuildFault,
    Drifted,
    HalfApplied,
    Locked,
    Refused,
)
from backburn.exports import LONGEST, Order, answer, harmless, lines

HOSTILE = ["$(reboot)", "`id`", "'; rm -rf / #", "a\nOUTCOME='applied'", "\\", "\x00", "${IFS}"]


@given(st.text())
def test_law_7_only_harmless_characters_pass(text: str) -> None:
    """One ASCII line, bounded, with nothing that a shell reads."""
    said = harmless(text)
    assert said.isascii()
    assert len(said) <= LONGEST
    assert not set(said) & set("'\"$`\\\n\r&|<>*?[]{}!~#=\x00")


@pytest.mark.parametrize("text", HOSTILE)
def test_law_7_a_shell_reads_nothing_but_the_text(text: str) -> None:
    """Sourced by a real shell."""
    script = f'{lines({"OUTCOME": "refused", "REASON": text})}printf %s "$OUTCOME"'
    done = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("refused", "")


def test_a_name_is_a_variables_name() -> None:
    """Nothing else is written."""
    with pytest.raises(ValueError, match="no name"):
        lines({"A B": "c"})


def test_arrows_are_words() -> None:
    """A change stays readable."""
    assert harmless("cpu 512 -> 1024, \u00e4") == "cpu 512 to 1024,"


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (Refused("r"), "refused"),
        (Abstained("a"), "refused"),
        (Braked("b"), "refused"),
        (Drifted("d"), "drifted"),
        (Broken("p"), "broken"),
        (HalfApplied("h"), "half_applied"),
        (Locked("l"), "refused"),  # a preview takes no lock: its Choice does not know it
    ],
)
def test_answers_are_exported(error: Exception, outcome: str) -> None:
    """What the step's Choice knows by name, the rest as a refusal."""

    def work() -> dict[str, str]:
        raise error

    assert answer(work, ("broken", "half_applied")) == {"OUTCOME": outcome, "REASON": str(error)}


def test_faults_are_not_answers() -> None:
    """A build that could not answer fails."""

    def work() -> dict[str, str]:
        raise BuildFault("no CLI")

    with pytest.raises(BuildFault):
        answer(work, ())


def test_an_order_knows_its_documents() -> None:
    """By incident and attempt."""
    assert Order("chatbot-1", 2, "chatbot").key("update") == "incidents/chatbot-1/2/update.json"
