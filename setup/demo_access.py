"""What a visitor of the demo needs to come in: PINs of the agents, users of the console, and the file that holds them.

One job: make them once, and keep them readable by the owner alone. Nothing here runs without ``--demo``.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from audit.model import Actor
from config.credentials import Credentials
from config.settings import Settings
from console.client import call
from database.connection import open_database
from queues.pins.service import generated
from routing.model import Snapshot
from users.accounts import Accounts
from users.model import Role, User
from users.passwords import Hashing, one_time_password

DEMO_FILE: Final = "demo.json"
DEMO: Final = Actor("演示", "hotline up --demo")
AGENTS: Final = 2
"""So many agents have a user of the console; the others are there for phones."""

OTHERS: Final = (
    ("supervisor", "演示班长", Role.SUPERVISOR),
    ("admin", "演示管理员", Role.ADMIN),
    ("auditor", "演示审计员", Role.AUDITOR),
)


@dataclass(frozen=True, slots=True)
class DemoAccess:
    """Secrets by who they belong to."""

    pins: Mapping[str, str] = field(default_factory=dict)
    """By agent id."""
    users: Mapping[str, str] = field(default_factory=dict)
    """Passwords of the console, by user name."""


def is_demo(user: User) -> bool:
    """Whether a start with ``--demo`` made this user: names are never given to another, so it is told by name."""
    others = {(name, display) for name, display, _ in OTHERS}
    return (user.name, user.display) in others or (
        bool(user.agent) and (user.name, user.display) == _agent_user(user.agent)
    )


def _agent_user(agent: str) -> tuple[str, str]:
    return f"agent{agent}", f"演示座席 {agent}"


async def demo_access(path: Path, settings: Settings, secrets: Credentials, table: Snapshot) -> DemoAccess:
    """Those of the last demo, new ones for who has none. One that a person has changed is not known."""
    known = _read(path)
    pins = await asyncio.to_thread(_pins, known, settings, secrets)
    return DemoAccess(pins, await _users(known, settings, table))


def write_demo(path: Path, settings: Settings, secrets: Credentials, table: Snapshot, access: DemoAccess) -> None:
    """What a visitor's phones and browser need to know, readable by the owner only."""
    content: dict[str, Any] = {
        "sip": {"host": settings.bind, "port": settings.sip_port},
        "seats": {
            "host": settings.bind,
            "port": settings.seat_sip_port,
            "passwords": {seat: secrets.seat_passwords[seat] for seat in table.seats},
        },
        "agents": {agent.id: {"name": agent.name, "groups": list(agent.groups)} for agent in table.agents.values()},
        "pins": dict(access.pins),
        "users": dict(access.users),
        "numbers": {row.number: {"name": row.name, "mode": row.mode} for row in table.numbers.values()},
    }
    path.touch(mode=0o600)
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")


def _read(path: Path) -> DemoAccess:
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        return DemoAccess(dict(told.get("pins", {})), dict(told.get("users", {})))
    except (OSError, ValueError, AttributeError, TypeError):
        return DemoAccess()


def _pins(known: DemoAccess, settings: Settings, secrets: Credentials) -> dict[str, str]:
    pins: dict[str, str] = {}
    for row in call(settings.control_port, secrets.api_token, "/api/agents")["agents"]:
        agent = row["agent"]
        if not row["pin"]:
            pins[agent] = generated(agent)
            body = {"pin": pins[agent], "by": DEMO.name}
            call(settings.control_port, secrets.api_token, f"/api/agents/{agent}/pin", body)
        elif agent in known.pins:
            pins[agent] = str(known.pins[agent])
    return pins


async def _users(known: DemoAccess, settings: Settings, table: Snapshot) -> dict[str, str]:
    database, hashing = open_database(settings.database_url), Hashing()
    accounts = Accounts(database, settings.data_dir, hashing, policy=settings.policy)
    try:
        there = {user.name for user in await accounts.users()}
        made = {name: known.users[name] for name in there & set(known.users)}
        for name, display, role, agent in _wanted(table):
            if name not in there:
                made[name] = await _made(accounts, name, display, role, agent)
        return dict(sorted(made.items()))
    finally:
        hashing.stop()
        await database.close()


def _wanted(table: Snapshot) -> list[tuple[str, str, Role, str]]:
    """User name, shown name, role and agent id."""
    ours = [agent.id for agent in table.agents.values() if not agent.supervisor]
    leads = [agent.id for agent in table.agents.values() if agent.supervisor]
    agents = [(*_agent_user(agent), Role.AGENT, agent) for agent in ours[:AGENTS]]
    lead = {Role.SUPERVISOR: leads[0]} if leads else {}
    return agents + [(name, display, role, lead.get(role, "")) for name, display, role in OTHERS]


async def _made(accounts: Accounts, name: str, display: str, role: Role, agent: str) -> str:
    """A user whose password is already his own: a visitor shall not have to think of one first."""
    password = one_time_password()
    first = await accounts.add(name, display, frozenset({role}), agent, DEMO, "演示")
    await accounts.change_password(name, first, password, DEMO)
    return password
