"""Asterisk's whole configuration as a pure function of a :class:`SwitchPlan`.

The text lives in templates/, one file per file of Asterisk's; here is only what the templates
are filled with. Nothing from outside the published table and the settings reaches them, and
what does is checked against the patterns of telephony.model first.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from asterisk_conf.model import SwitchPlan
from asterisk_conf.modules import MODULES, PAGE_MODULES
from ledger import cel
from routing.drill_trunks import DRILL, drill_trunks
from routing.labels_zh import CALLER_LISTS
from routing.model import Partner, Snapshot, Trunk
from routing.pstn_trunks import outward
from routing.remote_seats import places
from telephony.auto_answer import auto_answer_headers
from telephony.hangup_causes import Unanswered
from telephony.loop_call import LOOP_HEADER, LOOP_NAME, loop_token
from telephony.model import (
    AGENT_ID,
    DIALLED,
    EMERGENCY_NUMBERS,
    GROUP_ID,
    HOTLINE_NUMBER,
    PAGE_AUTHS,
    SEAT_ID,
    TRIAL_PHONE,
    Priority,
)
from telephony.ring import NumberCall, PhoneCall

PAGE_SILENCE_SECONDS: Final = 10
"""A browser in a talk from which nothing at all is heard for so long has crashed, or lost its network: its leg is
given up, and the caller goes back to the head of the line. Ours, no standard says."""

WEBSOCKETS: Final = 2000
"""As many browsers at once; past any city's number of agents."""

EVENTS: Final = (
    *("FullyBooted", "Hangup", "DialBegin", "DialState", "DialEnd", "UserEvent"),
    *("Hold", "Unhold", "DeviceStateChange", "ConfbridgeJoin", "ConfbridgeLeave", "QueueCallerJoin"),
    # Answers to our own list actions come as events and pass the same filter.
    *("Status", "StatusComplete", "QueueMember", "QueueStatusComplete", "DeviceStateListComplete"),
    *("OriginateResponse", "DBGetResponse", "DBGetComplete"),
)
"""What the engine hears over AMI; all else is filtered by Asterisk."""

ONLY_FROM: Final = {"DialState": "dial-"}
"""Of these events only those of channels in a context that begins so (dial-centre, dial-partner): a seat that rings
is no news, its DialBegin was."""

UNHEARD: Final = (
    *("Newexten", "VarSet", "Newchannel", "Newstate", "NewCallerid", "NewConnectedLine", "NewAccountCode"),
    *("HangupRequest", "SoftHangupRequest", "HangupHandlerPush", "HangupHandlerPop", "HangupHandlerRun"),
    *("BridgeCreate", "BridgeDestroy", "BridgeEnter", "BridgeLeave", "BridgeMerge", "BridgeVideoSourceUpdate"),
    *("LocalBridge", "LocalOptimizationBegin", "LocalOptimizationEnd", "Rename"),
    *("RTCPSent", "RTCPReceived", "MixMonitorStart", "MixMonitorStop", "MusicOnHoldStart", "MusicOnHoldStop"),
    *("DTMFBegin", "DTMFEnd", "SuccessfulAuth", "ChallengeSent", "QueueMemberStatus", "ExtensionStatus"),
    *("AGIExecStart", "AGIExecEnd", "TestEvent"),
)
"""What every call makes and nobody hears: about a hundred events a call that are not even made."""

UNDELIVERED: Final = (
    *("ast_channel_varset_type", "agi_exec_start_type", "agi_exec_end_type"),
    *("ast_rtp_rtcp_sent_type", "ast_rtp_rtcp_received_type", "ast_test_suite_message_type"),
)
"""Types of Stasis messages that only feed events of UNHEARD (stasis.conf): a call sets a hundred variables and, in
Debian's build, tells the test framework of ten steps; each was a message to every listener inside the switch. Other
types of UNHEARD cannot be declined: the manager does not start without them (manager_channels.c)."""

STEPS_PER_CALL: Final = 5
"""Asterisk's own ``maxcalls`` counts channels that run the dialplan: caller, agent in the conference, both halves of
the third leg, one to spare. It is above all that our own admission lets in, so that it never refuses a transfer."""

SUBCENTRE_RING_SECONDS: Final = 20
"""A sub-centre that rings longer has not answered, and the call is taken back."""

FALLBACK_GROUP_SECONDS: Final = 30
"""Without the engine the own group is tried this long, then everybody on duty, without end."""

MAX_RING_SECONDS: Final = 20

ORDER_SECONDS: Final = 300
"""A duty phone that plays with its keys for so long is given up for the next one."""

DRILL_SECONDS: Final = 180
"""A drill (演练) whose agent does not hang up ends after this."""

FORMS: Final = ("one-key", "three-party")
"""Names of the keys that an agent presses in a talk."""

PARTNER_FORMS: Final = {"partner": "", "partner-three": "3", "partner-blind": "2", "partner-consult": "1"}
"""The same for partners (协作单位), with the digit that stands before the partner's key."""


def render(plan: SwitchPlan) -> dict[str, str]:
    """Every file of Asterisk's own folder, path below ``plan.home`` to text.

    Raises ValueError when the table holds an id that must not stand in a configuration file.
    """
    facts = _facts(plan)
    files = {
        _place(name): _TEMPLATES.get_template(name).render(facts)
        for name in _TEMPLATES.list_templates()
        if "/" not in name
    }
    # What Asterisk remembers of calls while the engine is away is the ledger's agreement with it.
    return files | {"etc/cel.conf": cel.CEL_CONF, "etc/cel_custom.conf": cel.cel_custom_conf(str(plan.home / "cel"))}


def _place(template: str) -> str:
    name = template.removesuffix(".j2")
    return f"etc/{name}" if name.endswith(".conf") else f"agi-bin/{name}"


def _facts(plan: SwitchPlan) -> dict[str, Any]:
    table = plan.snapshot
    for seat in table.seats:
        _must_match(SEAT_ID, seat, "seat")
    for agent in table.page_phones:
        _must_match(AGENT_ID, agent, "agent")
    for group in table.groups:
        _must_match(GROUP_ID, group, "group")
    for place in places(table.groups.values(), table.trunks):
        _must_match(SEAT_ID, place.seat, "place of a sub-centre")
    keys = sorted({*table.waiting_keys, *table.self_service})
    for key in keys:
        _must_match(_KEY, key, "key")
    _must_match(_CALL_OUT_PREFIX, table.call_out.prefix, "prefix for calling out")
    partners = [_partner(row, table.trunks) for row in table.partners.values()]
    origins = {trunk.id: partner["number"] for partner in partners for trunk in partner["trunks"]}
    trunks = [
        _trunk(trunk, often=trunk.id in origins) | {"origin": origins.get(trunk.id, "")}
        for trunk in table.trunks.values()
    ]
    centres = [_centre(number, tuple(table.trunks.values())) for number in EMERGENCY_NUMBERS]
    drills = [{"number": number, "trunks": drill_trunks(table, number)} for number in EMERGENCY_NUMBERS]
    return {
        "node": plan.node,
        "bind": plan.bind,
        "ports": plan.ports,
        "caller_silence_seconds": plan.caller_silence_seconds,
        "max_calls": plan.capacity.calls * STEPS_PER_CALL,
        "ordinary_calls": plan.capacity.ordinary,
        "open_files": plan.open_files,
        "loop": {"name": LOOP_NAME, "header": LOOP_HEADER, "token": loop_token(plan.agi_token)},
        "home": plan.home,
        "run": plan.run,
        "modules": plan.modules,
        "modules_needed": (*MODULES, *(PAGE_MODULES if plan.page_phones else ())),
        "page_phones": table.page_phones if plan.page_phones else (),
        "pages": plan.page_phones,
        "page_auths": PAGE_AUTHS,
        "trial_phone": TRIAL_PHONE,
        "page_silence_seconds": PAGE_SILENCE_SECONDS,
        "seat_silence_seconds": plan.seat_silence_seconds,
        "websockets": WEBSOCKETS,
        "music": plan.music,
        "recordings": plan.recordings,
        "language": plan.language,
        "last_resort": plan.home / "agi-bin" / "last-resort",
        "last_resort_command": shlex.join(plan.last_resort),
        "ask_seconds": f"{plan.ask_seconds:g}",
        "sign_in_alone": plan.sign_in_alone,
        "phone_shows": plan.phone_shows,
        "ami_secret": plan.ami_secret,
        "agi_token": plan.agi_token,
        "events": EVENTS,
        "only_from": ONLY_FROM,
        "unheard": UNHEARD,
        "undelivered": UNDELIVERED,
        "emergency": EMERGENCY_NUMBERS,
        "targets": centres,
        "centres": plan.centres,
        "consult": plan.consult,
        "drills": [target for target in drills if target["trunks"]],
        "drill_seconds": DRILL_SECONDS,
        "drill_recordings": plan.drills,
        "hotline_number": HOTLINE_NUMBER,
        "centre_priority": int(Priority.CENTRE),
        "node_hex": plan.node.encode().hex(),
        "ours": handed_over(table),
        "partners": partners,
        "partner_forms": PARTNER_FORMS,
        "one_key_features": "#".join(
            [f"{form}-{number}" for form in FORMS for number in EMERGENCY_NUMBERS]
            + [f"{form}-{partner['number']}" for form in PARTNER_FORMS for partner in partners]
        ),
        "trunks": trunks,
        "identifier_order": "ip,request_uri,username" if any(t["shares_address"] for t in trunks) else "ip,username",
        "seats": [
            {"id": seat, "password": plan.seat_passwords[seat], "auto_answer": seat in table.auto_answer}
            for seat in table.seats
        ],
        "auto_answer": bool(table.auto_answer),
        "auto_answer_headers": auto_answer_headers(plan.bind),
        "caller_lists": {row.list: CALLER_LISTS[row.list] for row in table.callers.values()},
        "subcentres": [trunk for trunk in table.trunks.values() if trunk.role == "subcentre"],
        "sites": [table.trunks[group.trunk] for group in table.groups.values() if group.trunk in table.trunks],
        "outward": outward(table),
        "phone_purposes": {str(purpose): purpose.place for purpose in PhoneCall},
        "number_purposes": list(NumberCall),
        "call_out": table.call_out,
        "call_out_failures": list(Unanswered),
        "duty_ring_seconds": plan.duty_ring_seconds,
        "subcentre_ring_seconds": SUBCENTRE_RING_SECONDS,
        "messages": plan.messages,
        "orders": plan.orders,
        "order_seconds": ORDER_SECONDS,
        "message": table.message,
        "waiting_keys": keys,
        "groups": sorted(table.groups),
        "ring_seconds": MAX_RING_SECONDS,
        "fallback_group_seconds": FALLBACK_GROUP_SECONDS,
    }


def handed_over(table: Snapshot) -> list[str]:
    """The numbers that a centre may hand a citizen over to: our own, and no emergency number."""
    ours = sorted({HOTLINE_NUMBER, *table.numbers} - set(EMERGENCY_NUMBERS))
    for number in ours:
        _must_match(DIALLED, number, "number")
    return ours


def _trunk(trunk: Trunk, *, often: bool) -> dict[str, Any]:
    """``often``: probed like a centre's, because somebody is dialled through it in a talk."""
    _must_match(_TRUNK_ID, trunk.id, "trunk")
    _must_match(_HOST, trunk.host, "trunk host")
    if trunk.number:
        _must_match(DIALLED, trunk.number, "trunk number")
    emergency = trunk.role.startswith("emergency")
    inbound = trunk.role == "pstn"
    return {
        "id": trunk.id,
        "name": " ".join(trunk.name.split()),
        "host": trunk.host,
        "port": 0 if inbound else trunk.port,
        "context": _CONTEXTS.get(trunk.role, "from-partner"),
        "centre": trunk.number if emergency else "",
        "trusted": emergency or inbound,  # a centre is entitled to a withheld number; the carrier gets ours
        "drill": trunk.role == DRILL,
        "inbound": inbound,
        "qualify_seconds": 10 if emergency or often else 30,
        "shares_address": inbound and trunk.host.startswith("127."),
    }


def _centre(number: str, trunks: tuple[Trunk, ...]) -> dict[str, Any]:
    mine = [t for t in trunks if t.number == number and t.role.startswith("emergency")]
    return {
        "number": number,
        "briefing": any(t.briefing for t in mine if t.role == "emergency"),
        "trunks": sorted(mine, key=lambda t: (t.role != "emergency", t.id)),
    }


def _partner(row: Partner, trunks: Mapping[str, Trunk]) -> dict[str, Any]:
    """In the shape of a centre: its key is its number in the dialplan."""
    _must_match(_PARTNER_ID, row.id, "partner")
    _must_match(_PARTNER_KEY, row.key, "partner key")
    return {
        "id": row.id,
        "number": row.key,
        "briefing": False,
        "trunks": [trunks[trunk] for trunk in row.trunks if trunk in trunks],
        "ring_seconds": row.ring_seconds,
    }


def _must_match(pattern: re.Pattern[str], value: str, what: str) -> None:
    if not pattern.fullmatch(value):
        raise ValueError(f"{what} {value!r} must match {pattern.pattern}")


_CONTEXTS: Final = {
    "pstn": "from-pstn",
    "emergency": "from-centre",
    "emergency-backup": "from-centre",
    DRILL: "from-drill",
}
"""Where calls of a trunk come in, by its role; all others are partners'."""
_TRUNK_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_KEY = re.compile(r"[0-9]")
_CALL_OUT_PREFIX = re.compile(r"[02-9]?", re.ASCII)
_PARTNER_ID = re.compile(r"[a-z][a-z0-9-]{0,39}")
_PARTNER_KEY = re.compile(r"[4-9][0-9]{2}", re.ASCII)
_HOST = re.compile(r"[A-Za-z0-9.:-]{1,253}")
_TEMPLATES = Environment(
    loader=PackageLoader("asterisk_conf"),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
    autoescape=False,  # noqa: S701  the output is Asterisk's configuration, not HTML; ids are checked above
)
