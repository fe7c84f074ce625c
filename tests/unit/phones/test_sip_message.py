import pytest
from hypothesis import given
from hypothesis import strategies as st

from phones.errors import MalformedSip
from phones.sip_message import parse, request, response, tag_of, uri_of, user_of

pytestmark = pytest.mark.unit

INVITE = (
    b"INVITE sip:8001@127.0.0.1:5099 SIP/2.0\r\nv: SIP/2.0/UDP 127.0.0.1:5062;rport;branch=z9hG4bKabc\r\n"
    b"f: <sip:1380@127.0.0.1>;tag=one\r\nt: <sip:8001@127.0.0.1>\r\ni: call-1\r\nCSeq: 7 INVITE\r\n"
    b"Subject: folded\r\n  over two lines\r\nl: 4\r\n\r\nv=0\r"
)


def test_a_request_in_compact_form_is_understood() -> None:
    message = parse(INVITE)
    assert (message.method, message.uri, message.call_id, message.cseq) == (
        "INVITE",
        "sip:8001@127.0.0.1:5099",
        "call-1",
        7,
    )
    assert (message.branch, message.from_tag, message.to_tag) == ("z9hG4bKabc", "one", "")
    assert message.header("subject") == "folded over two lines"
    assert message.body == b"v=0\r"


def test_a_response_names_the_method_it_answers() -> None:
    answer = response(parse(INVITE), 486, "Busy Here", to_tag="two")
    again = parse(answer.encode())
    assert (again.status, again.phrase, again.method, again.to_tag) == (486, "Busy Here", "INVITE", "two")


@pytest.mark.parametrize("number", ["1" * 300, "12{3}45", "${EXTEN}", "%0A", "a&b,c;d", "中文", "\x01"])
def test_any_dialled_text_reaches_the_wire_as_it_is(number: str) -> None:
    sent = request("INVITE", f"sip:{number}@127.0.0.1", [("Call-ID", "c"), ("CSeq", "1 INVITE")])
    assert f"sip:{number}@127.0.0.1".encode() in sent.encode()
    assert parse(sent.encode()).uri == f"sip:{number}@127.0.0.1"


@pytest.mark.parametrize("text", ["1\r\nVia: x", "1\n2", "1\0"])
def test_a_line_break_cannot_forge_a_header(text: str) -> None:
    with pytest.raises(ValueError, match="line break"):
        request("INVITE", f"sip:{text}@127.0.0.1", [])


NONSENSE = (b"", b"\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"INVITE sip:1@2 SIP/2.0\r\nnonsense\r\n\r\n")


@pytest.mark.parametrize("data", NONSENSE)
def test_what_is_no_sip_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedSip):
        parse(data)


@given(st.binary(max_size=400))
def test_random_bytes_are_parsed_or_malformed(data: bytes) -> None:
    try:
        parse(data)
    except MalformedSip:
        return


def test_parts_of_an_address_header() -> None:
    header = '"A <b>" <sip:1380@10.0.0.1:5060;x=y>;tag=t1'
    assert tag_of(header) == "t1"
    assert user_of(header) == "1380"
    assert uri_of("<sip:8001@1.2.3.4>;expires=60") == "sip:8001@1.2.3.4"
