"""The routing table as immutable values, and the decision that comes out of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from enum import StrEnum

from telephony.model import CallOutClass, GroupId, OverflowTo, OverflowWhen


class MergeMode(StrEnum):
    """How a legacy number (归并号码) is merged into 12345 (three modes of the governing plan)."""

    FULL = "full"
    """整体并入: seats and number moved into 12345; straight to the right group."""
    DUAL = "dual"
    """双号并行: the department's own group first in its hours, 12345 for overflow and the rest of the clock."""
    SUBCENTRE = "subcentre"
    """设分中心: another site behind a trunk; taken back if it does not answer."""


class Phase(StrEnum):
    """Where today is in a legacy number's transition."""

    BEFORE = "before"
    DURING = "during"
    AFTER = "after"


class TargetKind(StrEnum):
    GROUP = "group"
    SUBCENTRE = "subcentre"
    EMERGENCY = "emergency"


class DayKind(StrEnum):
    WORKDAY = "workday"
    WEEKEND = "weekend"
    HOLIDAY = "holiday"
    MAKEUP_WORKDAY = "makeup-workday"
    """调休: a Saturday or Sunday worked for a holiday."""


@dataclass(frozen=True, slots=True)
class Period:
    """Half-open [start, end) on the days of the given kinds; an end at or before the start crosses midnight."""

    days: frozenset[int]
    """ISO weekdays 1 to 7 that the period starts on (a make-up workday counts as its own weekday and as a workday)."""
    start: time
    end: time


@dataclass(frozen=True, slots=True)
class Schedule:
    """班表. On a holiday only ``holiday_periods`` hold; on a make-up workday those of the working week."""

    id: str
    name: str
    periods: tuple[Period, ...]
    holiday_periods: tuple[Period, ...] = ()


@dataclass(frozen=True, slots=True)
class Skill:
    """技能: what an agent can do, or a language or dialect that an agent speaks."""

    id: str
    name: str
    language: bool = False
    """A number's row may ask for it: its callers wait for who speaks it."""


@dataclass(frozen=True, slots=True)
class Overflow:
    """One row of what happens to a group's callers who cannot be served soon."""

    when: OverflowWhen
    value: int
    """Seconds, or callers (length)."""
    to: OverflowTo
    target: str = ""
    """Group id, trunk id of a sub-centre, or telephone number of the duty phone."""


class CallbackFirst(StrEnum):
    """Whose telephone rings first when a group's citizen is called back (回拨)."""

    CITIZEN = "citizen"
    """先呼市民: while an agent is held; the agent's phone rings once the citizen has answered."""
    AGENT = "agent"
    """先呼座席: the citizen is dialled once the agent has answered, and talks to a human from the first word."""


@dataclass(frozen=True, slots=True)
class Group:
    """技能组."""

    id: GroupId
    name: str
    ring_seconds: int = 20
    wrap_up_seconds: int = 10
    whisper: bool = False
    """Its agents are told the old number that was dialled, before they talk."""
    skills: tuple[str, ...] = ()
    """Whoever has all of these serves the group, besides those who name it; their levels are the agents' levels."""
    level_seconds: int = 0
    """Level 1 alone may answer at first, each next level after so many more seconds; 0 = all at once, best first."""
    language_seconds: int = 60
    """How long a caller waits for somebody who speaks the language asked for; 0 = not at all."""
    preferred_seconds: int = 20
    """How long a repeat caller waits for the agent of the last talk; 0 = not at all."""
    short_talk_seconds: int = 0
    """A talk that the agent's side ends sooner was none: the caller waits on, at its place; 0 = every talk counts."""
    overflow: tuple[Overflow, ...] = ()
    trunk: str = ""
    """Trunk of the sub-centre (分中心) whose people answer for this group, besides agents of ours; empty = none do."""
    capacity: int = 0
    """How many calls of this group may be there at once; each is a place that the ACD offers calls to like a seat."""
    schedule: str = ""
    """The sub-centre's hours; empty = round the clock."""
    callback_first: CallbackFirst = CallbackFirst.CITIZEN
    """Who is rung first when somebody who waited for this group is called back; a sub-centre's place never is."""
    call_out: CallOutClass = CallOutClass.NONE
    """外呼等级: how far its agents may call out."""
    closed_days: tuple[date, ...] = ()
    """Days, on the city's calendar, on which new callers go to the 12345 group instead."""


@dataclass(frozen=True, slots=True)
class LegacyNumber:
    """One row of the merge table. Times are dates in the city's own time zone, both days included."""

    number: str
    name: str
    """Short name of the line, e.g. 人社."""
    mode: MergeMode
    group: GroupId
    """Who answers: the skill group (full), the department's own group (dual), the 12345 group that takes the call
    back (sub-centre)."""
    first_day: date | None
    last_day: date | None
    prompt: str
    """Prompt id during the transition."""
    prompt_after: str
    """Prompt id when the transition has ended."""
    schedule: str = ""
    """The department's hours (dual, sub-centre); empty means round the clock."""
    overflow_group: GroupId | None = None
    overflow_seconds: int = 20
    trunk: str = ""
    """Trunk of the sub-centre."""
    note: str = ""
    """示例，待核 for sample rows."""
    language: str = ""
    """A language skill that its callers ask for; empty = any."""


@dataclass(frozen=True, slots=True)
class Trunk:
    """A SIP peer. ``role``: pstn, emergency, emergency-backup, subcentre, utility, neighbour, drill."""

    id: str
    role: str
    number: str
    """The user part that is dialled there; empty for pstn. Of a drill's trunk: the centre that it stands for."""
    host: str
    port: int
    name: str
    briefing: bool = False
    """Of a centre's main trunk (role emergency) alone, for all its trunks: who answers there hears first who calls."""


@dataclass(frozen=True, slots=True)
class Partner:
    """协作单位: whom agents call into a talk besides the emergency centres: utility, sub-centre, neighbour city."""

    id: str
    name: str
    """As it is spoken to agent and caller."""
    key: str
    """Three digits, the first 4 to 9: an agent presses * and them, *3 for three parties, *2 for a blind transfer."""
    trunks: tuple[str, ...]
    """Tried in this order. A call that came in by one of them is not sent back."""
    schedule: str = ""
    """Its hours; empty = round the clock."""
    ring_seconds: int = 30
    """A trunk that rings longer is given up for the next one."""
    note: str = ""
    """示例，待核 for sample rows."""


class AgentCallOut(StrEnum):
    """An agent's own class of service for calling out (外呼等级)."""

    GROUPS = "groups"
    """The furthest that one of the agent's groups has."""
    NONE = "none"
    LOCAL = "local"
    MOBILE = "mobile"
    NATIONAL = "national"


@dataclass(frozen=True, slots=True)
class Agent:
    id: str
    name: str
    groups: tuple[GroupId, ...]
    supervisor: bool = False
    """班长: may listen in, take over, and steer others."""
    skills: Mapping[str, int] = field(default_factory=dict)
    """Skill -> level, 1 the best."""
    call_out: AgentCallOut = AgentCallOut.GROUPS
    """外呼等级, where it differs from what the groups give."""


class WaitingAction(StrEnum):
    """What a key does that a caller presses while waiting."""

    CALLBACK = "callback"
    """回拨: hang up and be called at the age that this call has."""
    MESSAGE = "message"
    """留言: leave a message for the work list."""
    URGENT = "urgent"
    """情况紧急: be served before those who only wait."""


@dataclass(frozen=True, slots=True)
class WaitingNews:
    """When a waiting caller is told its place and the expected wait. Ours to choose; no standard says."""

    first_seconds: int = 30
    """After so long; 0 = never."""
    every_seconds: int = 60


@dataclass(frozen=True, slots=True)
class CallbackPolicy:
    """How callbacks (回拨) are made. All of it ours to choose."""

    trunk: str = "pstn"
    """The trunk that citizens are dialled through."""
    schedule: str = ""
    """班表: when citizens may be called; empty = at any hour."""
    attempts: int = 3
    retry_minutes: int = 15
    """Until the second attempt; each further pause is twice as long."""
    ring_seconds: int = 25
    per_day: int = 3
    """Promises to one number within a day."""


@dataclass(frozen=True, slots=True)
class CallOutPolicy:
    """How agents call out (外呼). All of it ours to choose. Trunks: those to the public network, the one for callbacks
    first."""

    prefix: str = "9"
    """What an agent dials before the number on any phone: one digit, 0 or 2 to 9; empty = not by phone."""
    schedule: str = ""
    """班表: when citizens may be called; empty = at any hour."""
    ring_seconds: int = 40
    agent_per_hour: int = 30
    """Calls of one agent within an hour."""
    number_per_day: int = 5
    """Calls to one number within a day, of all agents together."""
    hotline_per_hour: int = 600
    """Calls of the whole hotline within an hour."""
    lost_seconds: int = 10
    """漏接: who has rung so long, or more, and reached nobody is to be called back."""
    lost_callback_minutes: int = 0
    """A lost call becomes a callback (回拨) by itself after so many minutes; 0 = agents call back."""


@dataclass(frozen=True, slots=True)
class NeverCalled:
    """不外呼号码: a number that no agent calls, e.g. of somebody who asked not to be called again."""

    number: str
    """In the form of a city call (:func:`routing.numbers.normalise`)."""
    reason: str
    until: datetime | None = None
    """Aware; from this moment on the row counts no more. None: for good."""
    note: str = ""
    """示例，待核 for sample rows."""


@dataclass(frozen=True, slots=True)
class MessagePolicy:
    """How messages (留言) are taken."""

    hours: int = 24
    """To deal with one: mailbox messages are handled within 24 h (GB/T 33358-2016)."""
    longest_seconds: int = 180
    silence_seconds: int = 8
    """Silence that ends a message."""


@dataclass(frozen=True, slots=True)
class Department:
    """责任部门: who is told of urgent orders (应急工单), and how."""

    id: str
    name: str
    phones: tuple[str, ...] = ()
    """值班电话: called one after the other, until somebody takes the order by a key."""
    url: str = ""
    """Its data interface (docs/order-data.md); empty = none."""
    rounds: int = 2
    """So often all its phones are called in turn."""
    note: str = ""
    """示例，待核 for sample rows."""


@dataclass(frozen=True, slots=True)
class OrderType:
    """应急工单类型: what an urgent order is about, who must take it, and by when."""

    id: str
    name: str
    """As it is spoken at a duty phone."""
    departments: tuple[str, ...]
    """In this order: whoever has not taken the order by its deadline, the next one is told too."""
    acknowledge_seconds: int = 300
    """Each department's time to take it. Ours to choose, no standard says."""
    finish_minutes: int = 1440
    """From being taken to being closed; 0: no deadline. Ours to choose, too."""
    note: str = ""
    """示例，待核 for sample rows."""


@dataclass(frozen=True, slots=True)
class WrapUpCode:
    """处理结果: what an agent says of a call in the wrap-up (话后小结)."""

    id: str
    """Stays in the ledger; never given to another meaning."""
    key: str
    """The digit or small letter that chooses it on the desk."""
    name: str
    groups: tuple[GroupId, ...] = ()
    """Only for calls of these groups; empty = of all."""
    note: str = ""
    """示例，待核 for sample rows."""


class CallerList(StrEnum):
    """名单: what is known of somebody before the call is answered."""

    NUISANCE = "nuisance"
    """骚扰名单: served after the others, never turned away; the agent sees it."""
    PRIORITY = "priority"
    """优先名单: served before those who only wait."""
    STAFF = "staff"
    """内部人员: shown as such, served like anybody."""


@dataclass(frozen=True, slots=True)
class ListedCaller:
    """A number that is on a list. It changes when and as whom a caller is served, never whether or by which group."""

    number: str
    """The caller's, in the form of a city call (:func:`routing.numbers.normalise`)."""
    list: CallerList
    reason: str
    until: datetime | None = None
    """Aware; from this moment on the row counts no more. None: for good."""
    note: str = ""
    """示例，待核 for sample rows."""


@dataclass(frozen=True, slots=True)
class Announcement:
    """公告: a sentence that callers hear after the greeting, for a while; or one kept ready to be raised by hand."""

    id: str
    """Its prompt is ``announcement-`` and this."""
    text: str
    since: datetime | None = None
    """Aware; from this moment on. With neither moment it is only kept ready (重大灾情提示)."""
    until: datetime | None = None
    """Aware; up to this moment, which no longer belongs to it."""
    groups: tuple[GroupId, ...] = ()
    """Only for callers of these groups; empty = of all."""
    numbers: tuple[str, ...] = ()
    """Only for who dialled one of these; empty = any."""
    note: str = ""
    """示例，待核 for sample rows."""


@dataclass(frozen=True, slots=True)
class SelfService:
    """自助查询: a key that speaks a piece of information to who waits, who keeps its place. An agent cuts it off."""

    key: str
    """A digit that no waiting key has. Its prompt is ``self-service-`` and this."""
    name: str
    """What waiting callers are told that the key is for, e.g. 社保卡办理."""
    text: str
    note: str = ""
    """示例，待核 for sample rows."""


@dataclass(frozen=True, slots=True)
class Holiday:
    """A day that differs from the plain week."""

    day: date
    kind: DayKind
    name: str = ""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One published version of everything a call needs, immutable, in memory and on disk as JSON."""

    version: int
    published_at: str
    """ISO 8601, UTC."""
    greeting: str
    """Prompt id of the 12345 greeting."""
    default_group: GroupId
    groups: Mapping[GroupId, Group]
    schedules: Mapping[str, Schedule]
    holidays: Mapping[date, DayKind]
    """Only the days that differ from the plain week: holidays and make-up workdays."""
    numbers: Mapping[str, LegacyNumber]
    trunks: Mapping[str, Trunk]
    agents: Mapping[str, Agent]
    seats: tuple[str, ...]
    rating_keys: Mapping[str, int] = field(default_factory=dict)
    """Key pressed -> level 1 to 5."""
    area_code: str = ""
    """The city's own, with its leading 0; calls may arrive with it before a short number."""
    known_years: frozenset[int] = frozenset()
    """Years whose holidays were imported; in any other year the plain week holds."""
    holiday_names: Mapping[date, str] = field(default_factory=dict)
    pause_reasons: Mapping[str, str] = field(default_factory=dict)
    """Digit after *14 -> reason, e.g. 小休; the first is what *14 alone stands for."""
    auto_answer: frozenset[str] = frozenset()
    """Seats whose phones answer by themselves when told to."""
    waiting_keys: Mapping[str, WaitingAction] = field(default_factory=dict)
    """Key pressed while waiting -> what it does. A key that is not here does nothing."""
    waiting_news: WaitingNews = field(default_factory=WaitingNews)
    skills: Mapping[str, Skill] = field(default_factory=dict)
    head_start_seconds: Mapping[str, int] = field(default_factory=dict)
    """Class of callers (repeat, dropped, centre) -> how much older than they are they count in the line."""
    repeat_minutes: int = 30
    """Who calls again within so many minutes is a repeat caller; 0 = nobody."""
    callback: CallbackPolicy = field(default_factory=CallbackPolicy)
    message: MessagePolicy = field(default_factory=MessagePolicy)
    partners: Mapping[str, Partner] = field(default_factory=dict)
    callers: Mapping[str, ListedCaller] = field(default_factory=dict)
    """Callers on a list, by number."""
    nuisance_seconds: int = 600
    """By how many seconds younger than they are callers of the nuisance list count in the line."""
    announcements: Mapping[str, Announcement] = field(default_factory=dict)
    self_service: Mapping[str, SelfService] = field(default_factory=dict)
    """By the key pressed while waiting. Empty: nobody is offered any."""
    departments: Mapping[str, Department] = field(default_factory=dict)
    order_types: Mapping[str, OrderType] = field(default_factory=dict)
    wrap_up_codes: Mapping[str, WrapUpCode] = field(default_factory=dict)
    """Empty: agents are asked for none."""
    wrap_up_code_required: bool = False
    """An agent does not end the wrap-up by hand without one. Its end in time waits for none, nor does a supervisor."""
    call_out: CallOutPolicy = field(default_factory=CallOutPolicy)
    never_called: Mapping[str, NeverCalled] = field(default_factory=dict)
    """By number."""

    @property
    def page_phones(self) -> tuple[str, ...]:
        """Phones in agents' browsers, each called as its agent; a seat of the same name goes first."""
        return tuple(agent for agent in self.agents if agent not in self.seats)

    def group_name(self, group: GroupId) -> str:
        """``“社会保障”组``; the key in place of a name that is not known."""
        known = self.groups.get(group)
        return f"“{known.name if known else group}”组"

    def codes_of(self, group: str) -> tuple[WrapUpCode, ...]:
        """What may be said of a call of this group, in the table's order."""
        return tuple(one for one in self.wrap_up_codes.values() if not one.groups or group in one.groups)

    def is_phone(self, name: str) -> bool:
        """A seat's phone, or one in an agent's browser."""
        return name in self.seats or name in self.agents

    def may_sit(self, agent: str, phone: str) -> bool:
        """At any seat, but in nobody else's browser."""
        return phone in self.seats or (phone == agent and agent in self.agents)


@dataclass(frozen=True, slots=True)
class Table:
    """The routing table as it is edited: the rows that a snapshot freezes."""

    area_code: str
    greeting: str
    default_group: GroupId
    groups: tuple[Group, ...]
    schedules: tuple[Schedule, ...]
    holidays: tuple[Holiday, ...]
    known_years: tuple[int, ...]
    numbers: tuple[LegacyNumber, ...]
    trunks: tuple[Trunk, ...]
    agents: tuple[Agent, ...]
    seats: tuple[str, ...]
    rating_keys: Mapping[str, int]
    pause_reasons: Mapping[str, str] = field(default_factory=dict)
    auto_answer: tuple[str, ...] = ()
    waiting_keys: Mapping[str, WaitingAction] = field(default_factory=dict)
    waiting_news: WaitingNews = field(default_factory=WaitingNews)
    skills: tuple[Skill, ...] = ()
    head_start_seconds: Mapping[str, int] = field(default_factory=dict)
    repeat_minutes: int = 30
    callback: CallbackPolicy = field(default_factory=CallbackPolicy)
    message: MessagePolicy = field(default_factory=MessagePolicy)
    partners: tuple[Partner, ...] = ()
    callers: tuple[ListedCaller, ...] = ()
    nuisance_seconds: int = 600
    announcements: tuple[Announcement, ...] = ()
    self_service: tuple[SelfService, ...] = ()
    departments: tuple[Department, ...] = ()
    order_types: tuple[OrderType, ...] = ()
    wrap_up_codes: tuple[WrapUpCode, ...] = ()
    wrap_up_code_required: bool = False
    call_out: CallOutPolicy = field(default_factory=CallOutPolicy)
    never_called: tuple[NeverCalled, ...] = ()


@dataclass(frozen=True, slots=True)
class CallFacts:
    """What routing may know about a call."""

    number: str
    caller: str = ""
    """Empty when it was not told, or withheld from display: then it is on no list."""


@dataclass(frozen=True, slots=True)
class Target:
    kind: TargetKind
    id: str
    """Group id, trunk id or emergency number."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Where a call goes, and why."""

    target: Target
    rule: str
    """Stable id of the rule that decided, e.g. ``legacy.full.during``."""
    reason: str
    """The same in Chinese, for people."""
    prompts: tuple[str, ...]
    group: GroupId
    """The group that answers, or takes the call back."""
    overflow: tuple[tuple[int, GroupId], ...]
    """Widening: (seconds waited, group) in rising order."""
    version: int
    trace: tuple[str, ...]
    """Each test made on the way, in Chinese."""
    number: str = ""
    """What was dialled, in its normal form; empty when it is not a telephone number."""
    mode: MergeMode | None = None
    phase: Phase | None = None
    language: str = ""
    """The language that the caller is to be answered in, as a skill; empty = any."""
    list: CallerList | None = None
    """The list that the caller is on now."""
