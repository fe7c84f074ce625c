"""Who reaches whom by dialling: every entrance of the dialplan with every kind of number against a written table."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product

import pytest

from asterisk_conf.model import CentrePolicy
from asterisk_conf.render import handed_over, render
from telephony.model import EMERGENCY_NUMBERS, HOTLINE_NUMBER, TRIAL_PHONE
from tests.unit.asterisk_conf.plans import TABLE, dialplan, plan

pytestmark = pytest.mark.unit

FILES = render(plan(centres=CentrePolicy(caller_key="*")))
PLAN = dialplan(FILES["etc/extensions.conf"])
OURS = handed_over(TABLE)
FOREIGN = ("0085298765432", "+85298765432", "001202555", "0000")
PREMIUM = ("16888888", "96868", "9500", "4008100000", "8008100000")
SUBSCRIBERS = ("13800138000", "013800138000", "06638760001", "8760001")
DISGUISED = tuple(
    f"{before}{number}" for number in EMERGENCY_NUMBERS for before in ("0", "0663", "+86", "0086", "1", "#")
)
SWITCHS_OWN = ("s", "i", "t", "done", "enter", "offer", "reach", "Local", "PJSIP/pstn", "exercise-110", "trial")
KEYS = ("*110", "*3110", "*9110", "*9119", "*9999", "*11", "*111001", "*12", "*211001", "*00", "#", "*")
TRUNKS = tuple(TABLE.trunks)
NUMBERS = tuple(
    dict.fromkeys(
        (*EMERGENCY_NUMBERS, *OURS, *FOREIGN, *PREMIUM, *SUBSCRIBERS, *DISGUISED, *SWITCHS_OWN, *KEYS, *TRUNKS)
    )
)
CONTEXTS = tuple(sorted({*re.findall(r"^context = (\S+)", FILES["etc/pjsip.conf"], re.MULTILINE)}))


def matched(context: str, number: str) -> str | None:
    """The extension that Asterisk takes for this number: the very one, else a pattern."""
    if number in PLAN[context]:
        return number
    for exten in PLAN[context]:
        if exten.startswith("_"):
            pattern = "".join(
                {"X": "[0-9]", ".": ".+", "!": ".*", "*": r"\*", "+": r"\+"}.get(part, part)
                for part in re.findall(r"\[[^\]]*\]|.", exten[1:])
            )
            if re.fullmatch(pattern, number):
                return exten
    return None


def ways(context: str, exten: str, seen: set[tuple[str, str]]) -> Iterator[str]:
    """Contexts that a call comes to from here without an answer of the engine's: what stands in Goto and Gosub."""
    if (context, exten) in seen:
        return
    seen.add((context, exten))
    yield context
    for step in PLAN[context].get(exten, ()):
        for place, there in re.findall(r"(?:Goto|Gosub)\(([a-z-]+),([^,()]+)", step):
            if place in PLAN and context != "call":
                yield from ways(place, there, seen)


DIAL_CENTRES = {"emergency", "dial-centre"}
CITIZENS, SEATS = {"from-pstn"}, {"from-seats"}


def allowed(context: str, number: str) -> str:
    """What may come of this number there: ``centre``, ``line`` (a number of ours), ``drill``, ``keys``, nothing."""
    if context in CITIZENS | SEATS and number in EMERGENCY_NUMBERS:
        return "centre"
    if context in CITIZENS | {"from-partner", "from-centre"}:
        return "line"
    if context == TRIAL_PHONE:
        return "line" if number == HOTLINE_NUMBER else ""
    if context in SEATS and re.fullmatch(r"\*9(110|119|120|122)", number):
        return "drill"
    if context in SEATS and re.match(r"\*(1[1-5]|2[1-4])", number):
        return "keys"
    return ""


def comes_of(context: str, number: str) -> str:
    exten = matched(context, number)
    if exten is None or exten == "h":
        return ""
    there = set(ways(context, exten, set()))
    if there & DIAL_CENTRES:
        return "centre"
    if "drill" in there:
        return "drill"
    if "call" in there:
        return "line"
    return "keys" if there & {"seat-key", "sign-in", "supervise"} else ""


COMBINATIONS = list(product(CONTEXTS, NUMBERS))


def test_the_table_has_enough_rows() -> None:
    assert len(COMBINATIONS) >= 500
    assert set(CONTEXTS) == {
        "from-pstn",
        "from-partner",
        "from-centre",
        "from-drill",
        "from-seats",
        "loop",
        TRIAL_PHONE,
    }


@pytest.mark.parametrize("context", CONTEXTS)
def test_no_number_reaches_more_than_the_table_allows(context: str) -> None:
    for number in NUMBERS:
        assert comes_of(context, number) == allowed(context, number), number


def test_only_the_public_networks_trunk_and_a_phone_of_ours_reach_a_centre_by_dialling() -> None:
    assert {context for context, number in COMBINATIONS if comes_of(context, number) == "centre"} == CITIZENS | SEATS


def test_the_roles_of_trunks_have_contexts_of_their_own() -> None:
    sections = {
        found[1]: re.search(r"^context = (\S+)", found[0], re.MULTILINE)
        for found in re.finditer(
            r"^\[([a-z0-9-]+)\]\(trunk\)\n(?:[^\[].*\n|\n)*", FILES["etc/pjsip.conf"], re.MULTILINE
        )
    }
    told = {trunk: context[1] for trunk, context in sections.items() if context is not None and trunk in TRUNKS}
    by_role = {
        "pstn": "from-pstn",
        "emergency": "from-centre",
        "emergency-backup": "from-centre",
        "drill": "from-drill",
    }
    assert told == {trunk.id: by_role.get(trunk.role, "from-partner") for trunk in TABLE.trunks.values()}


def test_neither_a_key_nor_a_routing_rule_leads_a_partner_or_a_centre_to_an_emergency_number() -> None:
    guard = 'GotoIf($["${HL_FROM}" != ""]?'
    assert PLAN["call"]["emergency"][0] == f"{guard}offer,1)"
    assert PLAN["caller-keys"]["*"][0] == f"{guard}call,offer,1)"
    for context in ("from-partner", "from-centre"):
        role = context.removeprefix("from-")
        for exten, steps in PLAN[context].items():
            assert exten == "h" or f"HL_FROM={role}," in steps[0], exten
    numbers = {found for steps in PLAN["from-partner"].values() for found in re.findall(r"HL_NUMBER=([^,]*)", steps[0])}
    assert numbers == set(OURS)
