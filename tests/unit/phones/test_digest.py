import pytest

from phones.digest import answer

pytestmark = pytest.mark.unit

# The worked example of RFC 7616 section 3.9.1, shortened to the fields a phone uses.
REALM = 'realm="http-auth@example.org", nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"'
OPAQUE = 'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
CNONCE = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"


def _answer(*challenges: str) -> str:
    return answer(
        challenges, method="GET", uri="/dir/index.html", user="Mufasa", password="Circle of Life", cnonce=CNONCE
    )


def test_the_example_of_rfc_7616_with_md5() -> None:
    value = _answer(f'Digest {REALM}, qop="auth, auth-int", algorithm=MD5, {OPAQUE}')
    assert 'response="8ca523f5e9506fed4657c9700eebdbec"' in value
    assert OPAQUE in value


def test_the_example_of_rfc_7616_with_sha_256_is_preferred() -> None:
    value = _answer(f'Digest {REALM}, qop="auth", algorithm=MD5', f'Digest {REALM}, qop="auth", algorithm=SHA-256')
    assert 'response="753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"' in value


def test_the_example_of_rfc_2069_without_qop() -> None:
    value = answer(
        ['Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"'],
        method="GET", uri="/dir/index.html", user="Mufasa", password="Circle Of Life", cnonce="",
    )  # fmt: skip
    assert 'response="670fd8c2df070c60b045671b8b24ff02"' in value


def test_an_unknown_algorithm_is_not_answered() -> None:
    assert _answer(f"Digest {REALM}, algorithm=WHIRLPOOL", "Basic realm=x") == ""
