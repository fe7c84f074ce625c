"""A drill reaches no real trunk, and nothing but a drill reaches a drill's trunk: over the whole generated dialplan."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from asterisk_conf.model import CentrePolicy
from asterisk_conf.render import render
from routing.model import Trunk
from telephony.model import EMERGENCY_NUMBERS
from tests.unit.asterisk_conf.plans import TABLE, Dialplan, dialplan, plan

pytestmark = pytest.mark.unit

BACKUP = Trunk("drill-110-backup", "drill", "110", "192.0.2.9", 5060, "备用")
WITH_BACKUP = replace(TABLE, trunks={**TABLE.trunks, BACKUP.id: BACKUP})
DRILL_TRUNKS = {trunk.id for trunk in WITH_BACKUP.trunks.values() if trunk.role == "drill"}
OTHERS = WITH_BACKUP.trunks.keys() - DRILL_TRUNKS
DRILL_CONTEXTS = {
    "drill", "drill-citizen", "drill-reach", "dial-drill", "drill-leg", "drill-reached", "drill-gone",
    "drill-conference",
}  # fmt: skip
ENTRANCE = {"from-seats", "rung"}
"""Where a drill may begin: at a phone of ours that dials it, or that was rung for it and has answered."""


def rendered(centres: CentrePolicy = CentrePolicy()) -> Dialplan:  # noqa: B008  frozen
    return dialplan(render(plan(snapshot=WITH_BACKUP, centres=centres))["etc/extensions.conf"])


PLANS = {
    "one after the other": rendered(),
    "all at once": rendered(CentrePolicy(parallel_after_seconds=5, caller_key="*")),
}
each_plan = pytest.mark.parametrize("text", PLANS.values(), ids=PLANS.keys())


def code(text: Dialplan, context: str) -> str:
    return "\n".join(step for steps in text[context].values() for step in steps)


def leads_to(text: Dialplan, context: str) -> set[str]:
    """Every context that is named anywhere in this one, by whatever application or option."""
    words = set(re.findall(r"(?<![\w-])[a-z]+(?:-[a-z]+)*(?![\w-])", code(text, context)))
    return (words & text.keys()) - {context}


@each_plan
def test_no_real_trunk_can_be_reached_from_a_drill(text: Dialplan) -> None:
    # These words stand in a drill for a name of a prompt, a bridge profile, a state, a header; none is jumped to.
    for context in DRILL_CONTEXTS:
        jumps = set(
            re.findall(r"(?:Goto\(|Gosub\(|\?|b\(|U\(|@|exten,|push\)=)([a-z]+(?:-[a-z]+)*)[,^/]", code(text, context))
        )
        assert jumps & text.keys() <= DRILL_CONTEXTS | {"call-reference"}, context
    everything = "\n".join(code(text, context) for context in {*DRILL_CONTEXTS, "call-reference"})
    assert not [trunk for trunk in OTHERS if re.search(rf"(?<![\w-]){trunk}(?![\w-])", everything)]
    assert "${" not in "".join(re.findall(r"Dial\(PJSIP/[^,]*", everything)), (
        "the far end is written down, not a variable"
    )
    assert "ChannelRedirect" not in everything


@each_plan
def test_only_a_drill_reaches_a_drills_trunk_and_only_an_idle_phone_begins_one(text: Dialplan) -> None:
    for context in text.keys() - DRILL_CONTEXTS:
        assert not [trunk for trunk in DRILL_TRUNKS if trunk in code(text, context)], context
        if context not in ENTRANCE:
            assert not leads_to(text, context) & DRILL_CONTEXTS, context
    begins = [step for step in code(text, "from-seats").splitlines() if "drill" in step]
    assert begins == [f"Goto(drill,{number},1)" for number in EMERGENCY_NUMBERS]


def test_every_drill_trunk_is_dialled_in_its_order_and_comes_in_nowhere() -> None:
    text = PLANS["one after the other"]
    for number in EMERGENCY_NUMBERS:
        dialled = re.findall(r"Dial\(PJSIP/(\d+)@([a-z0-9-]+)", "\n".join(text["dial-drill"][number]))
        backup = [(number, BACKUP.id)] if number == "110" else []
        assert dialled == [(number, f"drill-{number}"), *backup]
    pjsip = render(plan(snapshot=WITH_BACKUP))["etc/pjsip.conf"]
    for trunk in DRILL_TRUNKS:
        endpoint = pjsip.split(f"[{trunk}](trunk)")[1].split("\n[")[0]
        assert "context = from-drill\n" in endpoint
        assert "HL_ORIGIN" not in endpoint
    assert text["from-drill"] == {"_!": ["Hangup(21)"]}


def test_no_key_in_a_talk_begins_a_drill() -> None:
    files = render(plan(snapshot=WITH_BACKUP))
    assert "drill" not in files["etc/features.conf"] + files["etc/confbridge.conf"]


def test_without_drill_trunks_the_key_says_so() -> None:
    bare = replace(TABLE, trunks={name: trunk for name, trunk in TABLE.trunks.items() if trunk.role != "drill"})
    text = dialplan(render(plan(snapshot=bare))["etc/extensions.conf"])
    assert "Playback(drill-no-trunk)" in text["drill"]["_1XX"]
    assert text["drill"].keys() == {"_1XX", "h"}
