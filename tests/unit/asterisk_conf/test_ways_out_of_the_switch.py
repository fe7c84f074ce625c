"""What leaves the switch, and by whose word: nothing that a far end says makes us dial anybody."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from asterisk_conf.model import CentrePolicy
from asterisk_conf.render import render
from tests.unit.asterisk_conf.plans import plan

pytestmark = pytest.mark.unit

POLICIES = (CentrePolicy(), CentrePolicy(parallel_after_seconds=5))
ARGUMENT_OF_OPTIONS = {"Dial": 2, "Queue": 1}


def arguments(text: str) -> list[str]:
    """What stands between the parentheses that ``text`` begins behind, split at its own commas."""
    found, depth = [""], 0
    for letter in text:
        depth += (letter in "([{") - (letter in ")]}")
        if depth < 0:
            return found
        if letter == "," and depth == 0:
            found.append("")
        else:
            found[-1] += letter
    raise AssertionError(f"not closed: {text}")


def bare(options: str) -> str:
    """Options without what stands in their parentheses, and without what is worked out."""
    while (less := re.sub(r"\$?[({\[][^(){}\[\]]*[)}\]]", "", options)) != options:
        options = less
    return options


def calls_out(text: str) -> Iterator[tuple[str, list[str]]]:
    for found in re.finditer(r"\b(Dial|Queue|RetryDial|FollowMe|Page)\(", text):
        yield found[1], arguments(text[found.end() :])


@pytest.mark.parametrize("policy", POLICIES)
def test_no_dial_follows_a_redirect(policy: CentrePolicy) -> None:
    code = "\n".join(
        line for line in render(plan(centres=policy))["etc/extensions.conf"].splitlines() if not line.startswith(";")
    )
    found = list(calls_out(code))
    assert len(found) > 20
    for application, told in found:
        assert "i" in bare(told[ARGUMENT_OF_OPTIONS[application]]), f"{application}({','.join(told)})"


def test_a_dial_without_the_option_would_be_found() -> None:
    assert "i" not in bare("gr${IF($[1=1]?U(whisper^hi))}b(in^s^1)F(seat-after^s^1)")
    assert list(calls_out("Dial(PJSIP/1,20,gb(x^s^1(a,b)))")) == [("Dial", ["PJSIP/1", "20", "gb(x^s^1(a,b))"])]


def test_a_name_that_a_redirect_brings_is_looked_up_where_nothing_is() -> None:
    files = render(plan())
    assert re.search(r"\[nowhere\]\n+(;[^\n]*\n)*\[", files["etc/extensions.conf"].replace("\n\n", "\n")), "empty"
    sections = re.split(r"\n(?=\[)", files["etc/pjsip.conf"])
    kinds = [one for one in sections if re.match(r"\[[a-z]+\]\(!\)", one) and "type = endpoint" in one]
    assert len(kinds) == 3
    assert all("set_var = FORWARD_CONTEXT=nowhere\n" in one for one in kinds)
    endpoints = [one for one in sections if "(!" not in one.partition("\n")[0] and "type = endpoint" in one]
    assert not endpoints, "every endpoint is of one of these kinds"
    assert "redirect_method" not in files["etc/pjsip.conf"], "uri_pjsip would follow without asking the dialplan"
