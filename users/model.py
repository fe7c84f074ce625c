"""People, programs and sessions, and the words for what they may do."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum


class Role(StrEnum):
    AGENT = "agent"
    SUPERVISOR = "supervisor"
    ADMIN = "admin"
    AUDITOR = "auditor"


class Right(StrEnum):
    """One thing that may be done. Stable words: API clients are given them by name."""

    SELF = "self"
    """One's own session and password: everybody who is signed in."""
    API_READ = "api.read"
    STATUS_READ = "status.read"
    LIVE_READ = "live.read"
    METRICS_READ = "metrics.read"
    AGENTS_READ = "agents.read"
    AGENTS_ACT = "agents.act"
    AGENTS_PIN = "agents.pin"
    QUEUES_READ = "queues.read"
    CALLS_ACT = "calls.act"
    CALLS_READ = "calls.read"
    CALL_OUT = "calls.out"
    """Call citizens (外呼), by an agent's own phone and within the agent's class of service."""
    NUMBERS_REVEAL = "numbers.reveal"
    RECORDINGS_PLAY = "recordings.play"
    CALLBACKS_READ = "callbacks.read"
    CALLBACKS_CANCEL = "callbacks.cancel"
    MESSAGES_READ = "messages.read"
    MESSAGES_WORK = "messages.work"
    WORK_HAND = "work.hand"
    """Say which group or agent is to deal with a callback or a message."""
    SUPERVISE = "supervise"
    SUPERVISE_JOIN = "supervise.join"
    """Listen, whisper, barge in, take over: on one's own phone."""
    ANNOUNCE = "announce"
    ANNOUNCEMENTS_READ = "announcements.read"
    DRILLS_START = "drills.start"
    DRILLS_READ = "drills.read"
    REPORTS_READ = "reports.read"
    """Figures of any period, by number, group and agent."""
    FEED_READ = "feed.read"
    """A department's program: fetch the records of its own subscription."""
    FEED_NUMBERS = "feed.numbers"
    """Callers' numbers stand unmasked in what that program's subscription is told."""
    ORDERS_READ = "orders.read"
    ORDERS_WORK = "orders.work"
    ORDERS_END = "orders.end"
    ROUTING_READ = "routing.read"
    ROUTING_EDIT = "routing.edit"
    ROUTING_PUBLISH = "routing.publish"
    PROMPTS_READ = "prompts.read"
    PROMPTS_EDIT = "prompts.edit"
    USERS = "users"
    USERS_APPROVE = "users.approve"
    """Say yes or no, as the second person, to what somebody else wants to do to users and programs."""
    SETUP = "setup"
    """The first run: what is still to do, the test call, and taking the sample data out."""
    AUDIT_READ = "audit.read"


class Scope(StrEnum):
    """How far a right goes."""

    OWN = "own"
    """Only one's own agent id (工号), seat and calls."""
    ALL = "all"


@dataclass(frozen=True, slots=True)
class User:
    """A person. The name never changes and is never given to another: the audit speaks of it for ever."""

    name: str
    display: str
    """As people write it, in Chinese."""
    roles: frozenset[Role]
    agent: str = ""
    """The 工号, for who answers calls."""
    must_change: bool = True
    """The password was set by somebody else and is good for one thing only: to choose one's own."""
    disabled: bool = False
    totp: bool = False
    """Signing in asks for a code of an authenticator."""
    one_time_until: datetime | None = None
    """When the password that somebody else has set ends."""
    created_at: datetime | None = None
    signed_in_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """One browser of one user."""

    key: str
    """Hash of what the browser holds, in hex."""
    user: str
    started_at: datetime
    seen_at: datetime
    origin: str


@dataclass(frozen=True, slots=True)
class ApiClient:
    """A program that may ask."""

    id: str
    name: str
    rights: frozenset[Right]
    created_by: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Tries:
    """Wrong tries in a row under one name."""

    wrong: int = 0
    last_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """What the city has decided about its users: settings, in the words of this room."""

    one_time: timedelta = timedelta(hours=72)
    """So long a password that somebody else has set can be used to choose one's own."""
    second_factor: frozenset[Role] = frozenset()
    """Users of these roles can do nothing before they have set up a second factor, and cannot end it."""
    mixed_roles: bool = False
    """Admin, supervisor and auditor may be one person."""
    second_person: bool = True
    """What opens callers' numbers and recordings, or makes users who do, needs the consent of a second person."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who asks, once that is known."""

    name: str
    """For the record: ``张三（zhangsan）``, or ``程序 大屏（k3f…）``."""
    rights: dict[Right, Scope] = field(default_factory=dict)
    agent: str = ""
    user: User | None = None
    must_totp: bool = False
    """May do nothing but set up a second factor, which the city demands of this role."""
    session: str = ""
    """Key of the session that it came by; empty for programs."""
    origin: str = ""
    client: str = ""
    """Id of the program that asks; empty for people."""
