"""Two user agents, no network: what one sends the other receives, or does not."""

import pytest

from phones.core import Core
from phones.leg import Address, Happened, Leg, LegState, Registration
from phones.sip_message import Message, parse, response

pytestmark = pytest.mark.unit

A: Address = ("127.0.0.1", 6001)
B: Address = ("127.0.0.1", 6002)


def _call(a: Core, number: str = "12345") -> Leg:
    uri = f"sip:{number}@127.0.0.1"
    return a.invite(uri, B, from_header="<sip:1380@x>", to_header=f"<{uri}>", media_port=7000, now=0.0)


def _carry(a: Core, b: Core, now: float = 0.0) -> None:
    """Deliver everything until both are quiet."""
    while a.outbox or b.outbox:
        for sender, receiver in ((a, b), (b, a)):
            while sender.outbox:
                receiver.receive(sender.outbox.popleft()[0], sender.me, now)


def _incoming(core: Core) -> Leg:
    return next(leg for happened, leg in core.events if happened is Happened.INCOMING and leg is not None)


def _sent(core: Core) -> list[Message]:
    messages = [parse(data) for data, _ in core.outbox]
    core.outbox.clear()
    return messages


def _talking() -> tuple[Core, Leg, Core, Leg]:
    a, b = Core(A), Core(B)
    mine = _call(a)
    _carry(a, b)
    theirs = _incoming(b)
    b.accept(theirs, 7002, 0.0)
    _carry(a, b)
    return a, mine, b, theirs


def test_a_call_is_answered_and_both_know_where_to_talk() -> None:
    _, mine, b, theirs = _talking()
    assert mine.state is theirs.state is LegState.TALKING
    assert mine.media is not None
    assert mine.media.port == 7002
    assert theirs.media is not None
    assert theirs.media.port == 7000
    assert b.next_tick is None  # the ACK came: nothing is left to repeat


@pytest.mark.parametrize("caller_hangs_up", [True, False])
def test_either_side_hangs_up(caller_hangs_up: bool) -> None:
    a, mine, b, theirs = _talking()
    if caller_hangs_up:
        a.hang_up(mine, 1.0)
    else:
        b.hang_up(theirs, 1.0)
    _carry(a, b, 1.0)
    assert mine.state is theirs.state is LegState.ENDED
    assert (mine.ended_by_us, theirs.ended_by_us) == (caller_hangs_up, not caller_hangs_up)


def test_who_answers_and_hangs_up_at_once_waits_for_the_ack() -> None:
    a, b = Core(A), Core(B)
    mine = _call(a)
    _carry(a, b)
    theirs = _incoming(b)
    b.accept(theirs, 7002, 0.0)
    b.hang_up(theirs, 0.0)
    (answer,) = _sent(b)
    assert (answer.status, theirs.state) == (200, LegState.TALKING)
    a.receive(answer.encode(), B, 0.1)
    _carry(a, b, 0.1)
    assert mine.state is theirs.state is LegState.ENDED
    assert theirs.ended_by_us


def test_who_never_gets_the_ack_hangs_up_all_the_same() -> None:
    a, b = Core(A), Core(B)
    _call(a)
    _carry(a, b)
    theirs = _incoming(b)
    b.accept(theirs, 7002, 0.0)
    b.hang_up(theirs, 0.0)
    b.tick(40.0)
    assert [message.method for message in _sent(b)][-1] == "BYE"
    assert theirs.state is LegState.ENDED


def test_cancel_ends_the_ringing() -> None:
    a, b = Core(A), Core(B)
    mine = _call(a)
    _carry(a, b)
    theirs = _incoming(b)
    b.ring(theirs, 0.0)
    _carry(a, b)
    assert mine.state is LegState.RINGING
    a.hang_up(mine, 1.0)
    _carry(a, b, 1.0)
    assert (mine.state, mine.status, mine.ended_by_us) == (LegState.ENDED, 487, True)
    assert (theirs.state, theirs.status, theirs.ended_by_us) == (LegState.ENDED, 487, False)


def test_an_answer_that_crosses_the_cancel_is_hung_up() -> None:
    a, b = Core(A), Core(B)
    mine = _call(a)
    _carry(a, b)
    theirs = _incoming(b)
    b.ring(theirs, 0.0)
    _carry(a, b)
    b.accept(theirs, 7002, 1.0)
    a.hang_up(mine, 1.0)
    _carry(a, b, 1.0)
    assert mine.state is theirs.state is LegState.ENDED


def test_an_early_hang_up_waits_for_the_first_sign_of_life() -> None:
    a, b = Core(A), Core(B)
    mine = _call(a)
    a.hang_up(mine, 0.0)
    assert [m.method for m in _sent(a)] == ["INVITE"]
    a.tick(0.6)
    _carry(a, b, 0.6)
    assert mine.status == 487


def test_a_refusal_carries_its_status() -> None:
    a, b = Core(A), Core(B)
    mine = _call(a)
    _carry(a, b)
    b.refuse(_incoming(b), 486, 0.0)
    _carry(a, b)
    assert (mine.status, mine.phrase, mine.state) == (486, "Busy Here", LegState.ENDED)


def test_a_lost_answer_and_a_lost_ack_are_repeated() -> None:
    a, b = Core(A), Core(B)
    mine = _call(a)
    _carry(a, b)
    theirs = _incoming(b)
    b.accept(theirs, 7002, 0.0)
    b.outbox.clear()  # the 200 is lost
    b.tick(0.5)
    a.receive(b.outbox.popleft()[0], B, 0.5)
    assert mine.state is LegState.TALKING
    a.outbox.clear()  # the ACK is lost
    b.tick(1.5)
    _carry(a, b, 1.5)
    assert b.next_tick is None


def test_a_repeated_invite_is_one_call() -> None:
    a, b = Core(A), Core(B)
    _call(a)
    data = a.outbox[0][0]
    for _ in range(3):
        b.receive(data, A, 0.0)
    assert [happened for happened, _ in b.events] == [Happened.INCOMING]
    assert [m.status for m in _sent(b)] == [100, 100, 100]


def test_an_invite_nobody_hears_ends_after_32_seconds() -> None:
    a = Core(A)
    mine = _call(a)
    sent, now = 0, 0.0
    while (due := a.next_tick) is not None:
        now = due
        a.tick(now)
        sent += len(_sent(a))
    assert (mine.state, mine.status, now) == (LegState.ENDED, 408, 32.0)
    assert sent == 7


def test_a_challenge_is_answered_and_the_call_goes_on() -> None:
    a = Core(A, credentials=("8001", "secret"))
    mine = _call(a, "*11")
    first = _sent(a)[0]
    challenge = ("WWW-Authenticate", 'Digest realm="r", nonce="n", qop="auth", algorithm=MD5')
    a.receive(response(first, 401, "Unauthorized", [challenge], to_tag="t").encode(), B, 0.0)
    ack, second = _sent(a)
    assert (ack.method, ack.branch) == ("ACK", first.branch)
    assert (second.method, second.cseq, second.call_id) == ("INVITE", 2, first.call_id)
    assert 'username="8001"' in second.header("Authorization")
    a.receive(response(second, 403, "Forbidden", to_tag="t").encode(), B, 0.0)
    assert mine.status == 403


def test_a_wrong_password_is_refused_and_not_tried_for_ever() -> None:
    a = Core(A, credentials=("8001", "wrong"), registration=Registration("8001", "wrong", B, "reg", "tag"))
    a.register(60, 0.0)
    challenge = ("WWW-Authenticate", 'Digest realm="r", nonce="n", qop="auth"')
    tries = 0
    while sent := _sent(a):
        tries += 1
        a.receive(response(sent[0], 401, "Unauthorized", [challenge]).encode(), B, 0.0)
    assert tries == 3
    assert list(a.events) == [(Happened.REGISTER_REFUSED, None)]


def test_a_re_invite_moves_the_audio_and_an_update_is_answered() -> None:
    a, mine, b, theirs = _talking()
    again = a._inside(mine, "INVITE", (("Contact", "<sip:a@127.0.0.1:6001>"),))
    moved = Message(again.start, again.headers, mine.invite.body.replace(b"7000", b"7100"))
    b.receive(moved.encode(), A, 1.0)
    assert theirs.media is not None
    assert theirs.media.port == 7100
    b.receive(a._inside(mine, "UPDATE").encode(), A, 2.0)
    assert [m.status for m in _sent(b)] == [200, 200]


def test_a_dead_phone_says_nothing() -> None:
    a, b = Core(A), Core(B, deaf=True)
    _call(a)
    _carry(a, b)
    assert not b.trace
    assert not b.events


def test_an_offer_we_cannot_play_is_not_acceptable() -> None:
    a, b = Core(A), Core(B)
    mine = _call(a)
    data = a.outbox.popleft()[0].replace(b"RTP/AVP 8 101", b"RTP/AVP 0 101")
    b.receive(data, A, 0.0)
    _carry(a, b)
    assert mine.status == 488


@pytest.mark.parametrize(
    ("wanted", "seen"), [("sendonly", "sendonly"), ("inactive", "inactive"), ("sendrecv", "sendrecv")]
)
def test_a_talk_is_held_and_taken_up_again(wanted: str, seen: str) -> None:
    a, mine, b, theirs = _talking()
    a.change(mine, wanted, 7004, 1.0)
    _carry(a, b, 1.0)
    assert mine.changed == 200
    assert theirs.media is not None
    assert (theirs.media.direction, theirs.media.port) == (seen, 7004)
    assert a.next_tick is b.next_tick is None, "answered and acknowledged"


def test_a_refer_that_is_not_understood_is_refused_and_parts_nobody() -> None:
    a, mine, b, theirs = _talking()
    a.refer(mine, "<sip:12345@127.0.0.1>", 1.0)
    _carry(a, b, 1.0)
    assert mine.referred == 405
    assert mine.state is theirs.state is LegState.TALKING


def test_what_became_of_a_refer_is_told() -> None:
    a, mine, b, theirs = _talking()
    headers = (("Event", "refer"), ("Content-Type", "message/sipfrag"))
    told = b._inside(theirs, "NOTIFY", headers, b"SIP/2.0 200 OK\r\n")
    a.receive(told.encode(), B, 1.0)
    assert mine.became == "SIP/2.0 200 OK"
