"""What roles may do, what a password must be, when a session is over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from users.model import ApiClient, Right, Role, Scope, Session, Tries, User
from users.rules import (
    IDLE,
    LOCK,
    LONGEST,
    TRIES,
    NotUsable,
    client_identity,
    identity_of,
    locked_for,
    over,
    require_name,
    require_password,
    require_roles,
    rights_of,
    tried,
)

pytestmark = pytest.mark.unit

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def session(started: timedelta, seen: timedelta) -> Session:
    return Session("k", "zhangsan", NOW - started, NOW - seen, "网页")


@pytest.mark.parametrize(
    ("started", "seen", "expected"),
    [
        (timedelta(0), timedelta(0), False),
        (IDLE, IDLE - SECOND, False),
        (IDLE, IDLE, True),
        (LONGEST - SECOND, timedelta(0), False),
        (LONGEST, timedelta(0), True),
    ],
)
def test_a_session_ends_when_idle_or_when_it_has_lasted_long(
    started: timedelta, seen: timedelta, expected: bool
) -> None:
    assert over(session(started, seen), NOW) is expected


def test_the_wider_scope_of_two_roles_counts() -> None:
    together = rights_of([Role.SUPERVISOR, Role.AGENT])
    assert together == rights_of([Role.AGENT, Role.SUPERVISOR])
    assert together[Right.CALLS_ACT] is Scope.ALL
    assert together[Right.MESSAGES_WORK] is Scope.OWN


def test_no_role_has_more_than_it_needs_of_callers() -> None:
    assert Right.NUMBERS_REVEAL not in rights_of([Role.ADMIN, Role.AUDITOR])
    assert Right.RECORDINGS_PLAY not in rights_of([Role.ADMIN, Role.AGENT])
    assert [role for role in Role if Right.USERS in rights_of([role])] == [Role.ADMIN]
    assert {Right.ROUTING_EDIT, Right.ROUTING_PUBLISH, Right.USERS, Right.SUPERVISE}.isdisjoint(
        rights_of([Role.AUDITOR])
    )


def test_who_must_choose_a_password_may_do_nothing_else() -> None:
    fresh = User("li", "李四", frozenset({Role.ADMIN}), must_change=True)
    assert identity_of(fresh, session(SECOND, SECOND)).rights == {Right.SELF: Scope.OWN}


def test_a_program_makes_no_users_whatever_its_row_says() -> None:
    client = ApiClient("c", "大屏", frozenset(Right), "root", NOW, NOW + LOCK)
    assert {Right.USERS, Right.SELF, Right.SUPERVISE_JOIN}.isdisjoint(client_identity(client, "").rights)


def test_five_wrong_tries_shut_a_name_for_fifteen_minutes() -> None:
    tries = Tries()
    for _ in range(TRIES):
        assert locked_for(tries, NOW) == timedelta(0)
        tries = tried(tries, NOW)
    assert locked_for(tries, NOW) == LOCK
    assert locked_for(tries, NOW + LOCK - SECOND) == SECOND
    assert locked_for(tries, NOW + LOCK) == timedelta(0)
    assert tried(tries, NOW + LOCK).wrong == 1


@pytest.mark.parametrize(
    "password",
    ["", "short", "a" * 40, "ababababababab", "my zhangsan word", "x" * 129, "hello 12345 hello", "Password-secret"],
)
def test_a_weak_password_is_refused_with_what_would_do(password: str) -> None:
    with pytest.raises(NotUsable, match="密码"):
        require_password("zhangsan", password)


@pytest.mark.parametrize(
    "password",
    [
        "qazwsxedcrfv", "1qaz2wsx3edc", "asdfghjkl123", "admin@1234567", "P@ssw0rd2026!!", "Aa123456789!!",
        "woaini1314520",
        "iloveyou1314", "abcd1234efgh", "zaq12wsxcde3", "1q2w3e4r5t6y", "a1b2c3d4e5f6", "Jieyang@2026!",
        "19900101zhang",
        "Huawei@123456", "mnbvcxz09876", "abc5abc5abc5abc5",
    ],
)  # fmt: skip
def test_what_is_guessed_first_is_refused(password: str) -> None:
    with pytest.raises(NotUsable, match="密码"):
        require_password("lisi", password)


@pytest.mark.parametrize("password", ["correct horse battery", "东山路的路灯不亮了请来修", "k7-m2qx-vv9d-8w"])
def test_a_sentence_is_a_good_password(password: str) -> None:
    require_password("zhangsan", password)


@pytest.mark.parametrize("name", ["", "Z", "张三", "a", "1abc", "a b", "a\n", "x" * 25, "<b>x</b>", "../x"])
def test_a_name_is_letters_and_digits(name: str) -> None:
    with pytest.raises(NotUsable):
        require_name(name, "张三")


def test_roles_that_cannot_be_together_are_refused() -> None:
    for roles, agent in (
        ({Role.AUDITOR, Role.ADMIN}, ""),
        ({Role.SUPERVISOR, Role.ADMIN}, ""),
        ({Role.AGENT}, ""),
        (set[Role](), ""),
    ):
        with pytest.raises(NotUsable):
            require_roles(frozenset(roles), agent)
    require_roles(frozenset({Role.AGENT, Role.SUPERVISOR}), "1001")
