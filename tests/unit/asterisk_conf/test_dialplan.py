"""The generated dialplan against the words that the rest of the house uses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields, replace

import pytest

from agi_scripts import questions
from asterisk_conf.model import CentrePolicy
from asterisk_conf.render import render
from ivr.model import Question, Script, Step
from ivr.ports import SeatAction
from ivr.prompts.catalogue import catalogue
from telephony.model import EMERGENCY_NUMBERS, GlobalVar, Priority, Stage, Var
from tests.unit.asterisk_conf.plans import TABLE, dialplan, labels, plan

pytestmark = pytest.mark.unit

TEXT = render(plan())["etc/extensions.conf"]
PLAN = dialplan(TEXT)
STEPS = [
    (context, exten, step) for context, extens in PLAN.items() for exten, steps in extens.items() for step in steps
]
CODE = "\n".join(step for _, _, step in STEPS)

LOCAL = {"seat-alone", "seat-failed"}
"""Steps of the phones' own keys, which are no steps of a call."""

BY_ENGINE = {"offer"}
"""Extensions of ``call`` to which the engine redirects."""


def asks() -> Iterator[list[str]]:
    """The arguments of every question."""
    for found in re.findall(r"Gosub\(ask,s,1\(((?:[^()]|\([^()]*\))*)\)\)", CODE):
        yield re.split(r",(?![^{]*\})", found)


def test_every_step_that_an_answer_can_name_is_there() -> None:
    assert set(Step) <= PLAN["call"].keys()


def test_every_step_without_an_answer_is_there() -> None:
    assert {arguments[1] for arguments in asks()} - LOCAL - {"${ARG2}"} <= PLAN["call"].keys()


def test_every_question_has_a_flow_and_every_flow_is_asked() -> None:
    assert {arguments[0] for arguments in asks()} == set(Script)


def test_the_arguments_of_a_question_stand_in_the_order_they_are_read() -> None:
    (line,) = (step for step in PLAN["ask"]["s"] if step.startswith("AGI("))
    _, asked_at_once = line.removeprefix("AGI(").removesuffix(")").split(",")
    *sent, token = asked_at_once.split(questions.BETWEEN)
    assert token == "made-up-token", "last, and taken off before the rest is read"
    names = {"${DIALSTATUS}": "dial_status", "${ARG3}": "key", "${ARG4}": "action"}
    heard = [names.get(one) or one.removeprefix("${HL_").removesuffix("}").lower() for one in sent]
    assert tuple(heard) == questions._ARGUMENTS
    asked = [field.name for field in fields(Question) if field.name not in ("script", "channel", "told", "withheld")]
    assert [name.removesuffix("_ms") for name in asked] == heard


def test_every_key_of_a_phone_has_its_action() -> None:
    asked = {step.split("1(", 1)[1].split(",")[0] for _, _, step in STEPS if step.startswith("Gosub(seat-key,")}
    assert asked == set(SeatAction)


def test_every_variable_has_its_name_in_the_house() -> None:
    used = set(re.findall(r"HL_[A-Z_]*[A-Z](?!_?[A-Z0-9{])", CODE))
    assert used <= {*Var, *GlobalVar}
    assert {*Var, *GlobalVar} - used == {Var.VERSION, Var.PREFERRED, Var.LANGUAGE}, (
        "only for whoever looks at the channel"
    )


def test_who_is_on_a_list_is_shown_to_the_agent_alone_and_without_lists_no_step_is_added() -> None:
    bare = render(plan(snapshot=replace(TABLE, callers={})))["etc/extensions.conf"]
    assert "HL_LISTED" not in bare
    listed = TEXT
    assert {line for line in listed.splitlines() if "CONNECTEDLINE(name" in line} == {
        ' same = n,ExecIf($["${ARG4}" = "nuisance"]?Set(CONNECTEDLINE(name,i)=骚扰名单))'
    }
    assert listed.count("^${HL_LISTED}") == bare.count("b(seat-leg^s^1(")


def test_every_stage_has_its_name_in_the_house() -> None:
    assert set(re.findall(r"HL_STAGE=([a-z]+)", CODE)) <= set(Stage)


def test_every_prompt_is_in_the_catalogue() -> None:
    known = catalogue(TABLE, "揭阳")
    played = set(re.findall(r"Playback\(([a-z0-9-]+)\)", CODE))
    played |= set(re.findall(r"HL_PROMPTS=([a-z0-9-]+)", CODE))
    played |= set(re.findall(r"Read\(HL_KEY,([a-z0-9-]+),", CODE))
    played |= set(re.findall(r'Playback\(\$\{IF\(\$\["\$\{HL_PROMPTS\}" = ""\]\?([a-z0-9-]+):', CODE))
    assert {"greeting-12345", "subcentre-returned", "goodbye", "agent-id-ask", "seat-key-failed"} <= played
    assert played <= known.keys()


def test_every_jump_lands() -> None:
    marks = labels(TEXT)
    for context, _, step in STEPS:
        for found in re.findall(r"(?:Goto|Gosub|[?:])\(?([a-z-]+),([a-z0-9*$_{}A-Z-]+),1", step):
            place, exten = found
            if place in PLAN and not exten.startswith("$"):
                assert exten in PLAN[place] or matches(exten, PLAN[place]), f"{context}: {step}"
        for label in re.findall(r"GotoIf\(.*\?([a-z]+)(?::([a-z]+))?\)$", step):
            assert set(filter(None, label)) <= marks, f"{context}: {step}"
        for place in re.findall(r"(?:Goto|Gosub)\(([a-z-]+),", step):
            assert place in PLAN or place in PLAN[context], f"{context}: {step}"


def matches(exten: str, known: dict[str, list[str]]) -> bool:
    return any(re.fullmatch(one[1:].replace("X", r"\d").replace(".", ".+"), exten) for one in known if one[0] == "_")


def test_every_extension_of_the_call_is_reached() -> None:
    jumps = set(re.findall(r"(?:Goto\(|\?)(?:call,)?([a-z-]+),1", CODE))
    jumps |= set(re.findall(r"ChannelRedirect\([^,]+,call,([a-z]+),1", CODE)) | {"after", "offer"}
    assert PLAN["call"].keys() <= jumps | set(Step) | BY_ENGINE | {"i", "h", "T"}


@pytest.mark.parametrize("context", ["from-pstn", "from-seats"])
def test_an_emergency_number_comes_before_every_pattern(context: str) -> None:
    extens = list(PLAN[context])
    assert extens[: len(EMERGENCY_NUMBERS)] == list(EMERGENCY_NUMBERS)
    for number in EMERGENCY_NUMBERS:
        *before, last = PLAN[context][number]
        assert last == f"Goto(emergency,{number},1)"
        assert before[0].startswith("MSet(")  # the caller's own text, to digits; a seat is 12345
        assert before[1:] in ([], ["Gosub(first-path,s,1)", "Gosub(asserted,s,1)"])
        assert not PLAN["emergency"][number][0].startswith("Gosub(ask")


def test_an_emergency_number_needs_no_engine_and_no_table() -> None:
    bare = replace(TABLE, numbers={}, trunks={"pstn": TABLE.trunks["pstn"]}, groups={})
    without = dialplan(render(plan(snapshot=bare))["etc/extensions.conf"])
    for number in EMERGENCY_NUMBERS:
        assert number in without["emergency"]
        assert "Playback(apology)" in without["emergency"][number]
        assert not any("ask" in step for step in without["emergency"][number])


def test_an_emergency_centre_is_tried_on_every_trunk_the_main_one_first() -> None:
    for number in EMERGENCY_NUMBERS:
        assert any(step.startswith("Gosub(dial-centre,${EXTEN},") for step in PLAN["emergency"][number])
        dialled = re.findall(rf"PJSIP/{number}@([a-z0-9-]+)", "\n".join(PLAN["dial-centre"][number]))
        assert list(dict.fromkeys(dialled)) == [f"emergency-{number}", f"emergency-{number}-backup"]


def test_a_subcentre_that_is_no_more_costs_no_call() -> None:
    """A publish may take a trunk away between the answer that names it and the step."""
    assert PLAN["subcentre"]["i"][-1] == "Goto(call,offer,1)"


def test_every_subcentre_of_the_table_can_be_dialled() -> None:
    for row in TABLE.numbers.values():
        if row.trunk:
            assert row.trunk in PLAN["subcentre"]


def test_text_from_outside_passes_a_filter() -> None:
    for name in ("EXTEN", r"CALLERID\(num\)[^}]*"):
        for _, _, step in STEPS:
            if "HL_NUMBER=" in step or "HL_CALLER=" in step:
                bare = re.sub(r"\$\{FILTER\(0-9\+,\$\{[^}]*\}\)\}", "", step)
                assert not re.search(rf"\$\{{{name}\}}", bare), step
    assert "HL_NUMBER=${FILTER(0-9+,${EXTEN})}" in PLAN["from-pstn"]["_!"][0]


def test_a_question_has_its_deadline_and_clears_it() -> None:
    steps = PLAN["ask"]["s"]
    agi = next(number for number, step in enumerate(steps) if step.startswith("AGI("))
    before = re.split(r"[(,]", ",".join(steps[:agi]).replace("TIMEOUT(absolute)", "TIMEOUT").replace(")", ""))
    assert {"HL_LOST=${ARG2}", "HL_DONE=", "HL_PROMPTS=", "AGIEXITONHANGUP=yes", "TIMEOUT=3"} <= set(before)
    assert "TIMEOUT(absolute)=0" in steps[agi + 1]
    assert "TIMEOUT(absolute)=0" in PLAN["ask"]["T"][0]


def test_the_keys_of_the_one_key_transfer_are_the_emergency_numbers() -> None:
    files = render(plan())
    for number in EMERGENCY_NUMBERS:
        assert f"one-key-{number} = *{number},self," in files["etc/features.conf"]
        assert f"*{number} = dialplan_exec(one-key-again,{number},1)" in files["etc/confbridge.conf"]
        assert any(step.startswith("Gosub(dial-centre,${EXTEN},") for step in PLAN["reach"]["_1XX"])


def test_a_partners_keys_are_its_own_and_never_the_beginning_of_an_emergency_key() -> None:
    files = render(plan())
    keys = re.findall(r"^[a-z-]+-\d+ = (\*\d+),self,", files["etc/features.conf"], re.MULTILINE)
    assert {"*701", "*3701", "*2701", "*1701", "*110", "*3110"} <= set(keys)
    assert len(keys) == len(set(keys))
    assert not [(one, other) for one in keys for other in keys if one != other and other.startswith(one)]
    again = re.findall(r"^(\*\d+) = dialplan_exec", files["etc/confbridge.conf"], re.MULTILINE)
    assert {"*00", "*03"} <= set(again), "of a consultation"
    assert set(again) - {"*00", "*03"} == {key for key in keys if not re.fullmatch(r"\*2[4-9]\d\d", key)}


def test_a_partner_is_tried_on_every_trunk_of_its_row_and_the_sentences_are_its_own() -> None:
    known = catalogue(TABLE, "揭阳")
    both = replace(TABLE.partners["water"], trunks=("utility-gas", "utility-water"))
    with_two = replace(TABLE, partners={"water": both})
    text = dialplan(render(plan(snapshot=with_two))["etc/extensions.conf"])
    dialled = re.findall(r"Dial\(PJSIP/\d+@([a-z0-9-]+),30", "\n".join(text["dial-partner"]["701"]))
    assert dialled == ["utility-gas", "utility-water"]
    for row in TABLE.partners.values():
        said = "\n".join(PLAN["reach"][row.key])
        assert f"Playback(partner-{row.id}-failed)" in said
        assert f"Playback(partner-{row.id}-${{HL_REFUSED}})" in said
        assert {f"partner-{row.id}-{why}" for why in ("failed", "closed", "loop")} <= known.keys()


def test_who_calls_from_a_partners_trunk_is_known_to_come_from_there() -> None:
    pjsip = render(plan())["etc/pjsip.conf"]
    for row in TABLE.partners.values():
        for trunk in row.trunks:
            endpoint = pjsip.split(f"[{trunk}](trunk)")[1].split("\n[")[0]
            assert f"set_var = HL_ORIGIN={row.key}\n" in endpoint
    assert pjsip.count("set_var = HL_ORIGIN") == 8 + len(TABLE.partners), "the emergency trunks and these"


def test_a_table_without_partners_adds_nothing_to_a_call() -> None:
    bare = render(plan(snapshot=replace(TABLE, partners={})))["etc/extensions.conf"]
    assert "partner-" not in bare.split("[seat-leg]")[1].split("[whisper]")[0]


def test_a_centre_may_name_our_own_numbers_and_what_follows_dials_nobody() -> None:
    ours = {"12345", *TABLE.numbers}
    assert PLAN["hand-over"].keys() == ours
    assert {step for steps in PLAN["hand-over"].values() for step in steps} == {
        f"Goto(handed-over,{n},1)" for n in ours
    }
    applications = {step.partition("(")[0] for steps in PLAN["handed-over"].values() for step in steps}
    assert applications == {"Set", "MSet", "UserEvent", "GotoIf", "ChannelRedirect", "Wait", "Hangup"}
    assert PLAN["no-hand-over"] == {}


def test_only_centres_may_refer_and_only_once_they_have_answered() -> None:
    endpoints = re.split(r"\n(?=\[)", render(plan())["etc/pjsip.conf"])
    may = {one.partition("]")[0][1:] for one in endpoints if "allow_transfer = yes" in one}
    assert may == {trunk.id for trunk in TABLE.trunks.values() if trunk.role.startswith("emergency")}
    assert all("TRANSFER_CONTEXT=no-hand-over" in one for one in endpoints if "allow_transfer = yes" in one)
    assert sum("TRANSFER_CONTEXT=hand-over" in step for _, _, step in STEPS) == 1
    assert "Set(TRANSFER_CONTEXT=hand-over)" in PLAN["reached"]["s"]


def test_only_a_centre_that_wants_it_is_briefed_after_its_answer_and_by_the_dialplan_alone() -> None:
    assert "briefed^" not in CODE, "off unless the table says otherwise"
    trunks = {name: replace(one, briefing=name == "emergency-119") for name, one in TABLE.trunks.items()}
    for policy in (CentrePolicy(), CentrePolicy(parallel_after_seconds=5)):
        text = dialplan(render(plan(snapshot=replace(TABLE, trunks=trunks), centres=policy))["etc/extensions.conf"])
        for number in EMERGENCY_NUMBERS:
            dials = [step for step in text["dial-centre"][number] if step.startswith("Dial(")]
            assert dials
            assert {re.findall(r"U\(([a-z]+)\^", step)[0] for step in dials} == {
                "briefed" if number == "119" else "reached"
            }
            assert not any("briefing" in step for step in text["dial-centre"][number]), "nothing before the INVITE"
        assert not any("ask" in step for step in text["briefed"]["s"])
    assert {"briefing-caller", "briefing-unknown", *(f"digit-{n}" for n in range(10))} <= catalogue(
        TABLE, "揭阳"
    ).keys()


def test_a_centres_call_is_of_the_class_whose_head_start_the_table_sets() -> None:
    (entry,) = (step for step in PLAN["from-centre"]["_!"] if "HL_PRIORITY=" in step)
    assert f"HL_PRIORITY={int(Priority.CENTRE)})" in entry
