"""People, sessions and programs as plain data, for the API and the command line alike."""

from __future__ import annotations

from typing import Any

from users.approvals import Approval
from users.model import ApiClient, Session, User


def user_as_json(user: User) -> dict[str, Any]:
    """A person, without any secret."""
    return {
        "user": user.name,
        "name": user.display,
        "roles": sorted(user.roles),
        "agent": user.agent,
        "must_change": user.must_change,
        "one_time_until": user.one_time_until.isoformat() if user.must_change and user.one_time_until else None,
        "disabled": user.disabled,
        "totp": user.totp,
        "signed_in_at": user.signed_in_at.isoformat() if user.signed_in_at else None,
    }


def session_as_json(session: Session) -> dict[str, Any]:
    """A browser that is signed in, without its key."""
    return {
        "user": session.user,
        "started_at": session.started_at.isoformat(),
        "seen_at": session.seen_at.isoformat(),
        "origin": session.origin,
    }


def approval_as_json(one: Approval) -> dict[str, Any]:
    """A wish and what became of it; it holds no secrets."""
    return {
        "id": one.id,
        "kind": one.wish.kind.value,
        "subject": one.subject,
        "asker": one.asker,
        "asked_by": one.asked_by,
        "reason": one.reason,
        "asked_at": one.asked_at.isoformat(),
        "state": one.state.value,
        "decided_by": one.decided_by,
        "decided_at": one.decided_at.isoformat() if one.decided_at else None,
        "done_at": one.done_at.isoformat() if one.done_at else None,
    }


def client_as_json(client: ApiClient) -> dict[str, Any]:
    """A program, without its token."""
    return {
        "id": client.id,
        "name": client.name,
        "rights": sorted(client.rights),
        "created_by": client.created_by,
        "created_at": client.created_at.isoformat(),
        "expires_at": client.expires_at.isoformat(),
        "revoked_at": client.revoked_at.isoformat() if client.revoked_at else None,
    }
