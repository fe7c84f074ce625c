"""Where data may be pushed to."""

from __future__ import annotations

import pytest

from ledger.push_address import Allowed, fault, forbidden

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://10.0.0.20/orders", ""),
        ("https://data.example:8443/a", ""),
        ("http://10.0.0.20/orders", "明文"),
        ("http://10.0.0.21/orders", ""),
        ("https://127.0.0.1/", "本机"),
        ("https://localhost:8443/", "本机"),
        ("http://a.localhost/", "本机"),
        ("https://[::1]/", "本机"),
        ("https://[::ffff:127.0.0.1]/", "本机"),
        ("https://169.254.169.254/latest", "链路本地"),
        ("https://[fe80::1]/", "链路本地"),
        ("https://0.0.0.0/", "未指定"),
        ("https://224.0.0.1/", "多播"),
        ("https://user:secret@10.0.0.20/", "密码"),
        ("ftp://10.0.0.20/", "https"),
        ("https://", "https"),
        ("https://10.0.0.20:999999/", "写法"),
    ],
)
def test_https_and_never_this_machine(url: str, words: str) -> None:
    wrong = fault(url, Allowed(http=frozenset({"10.0.0.21"})))
    assert words in wrong
    assert bool(words) == bool(wrong)


def test_the_demo_and_tests_may_push_to_this_machine() -> None:
    assert fault("http://127.0.0.1:8099/", Allowed(local=True)) == ""
    assert fault("http://10.0.0.20/", Allowed(local=True)) != ""


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "fe80::1%eth0", "169.254.1.1", "::ffff:127.0.0.1", "::"])
def test_a_name_does_not_lead_there_either(address: str) -> None:
    assert forbidden(address)


def test_other_addresses_are_let_through() -> None:
    assert not forbidden("10.0.0.20")
    assert not forbidden("2001:db8::1")
