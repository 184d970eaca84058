"""What the node may call, judged before anything is looked up."""

import re
from typing import Any, NoReturn

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from urllib3.util import parse_url

from office_node.network.destinations import Destination, DestinationRefused, Destinations, read

NAMED = (
    "https://das.example.org/das-api/v1",
    "https://login.example.org:8443/am/oauth2",
    "https://192.0.2.7/jwks",
    "https://[2001:db8::7]/jwks",
    "http://127.0.0.1:8190/das-api/v1",
    "http://[::1]:8190/das-api/v1",
)
ALLOW = ("files.example.net", "*.store.example.com")


def nobody_is_asked(*_: Any, **__: Any) -> NoReturn:
    raise AssertionError("nothing is looked up before it was judged")


LIST = Destinations(NAMED, allow=ALLOW, resolve=nobody_is_asked)


@pytest.mark.parametrize(
    ("url", "leads_to"),
    [
        ("https://das.example.org/das-api/v1/requests", ("https", "das.example.org", 443)),
        ("https://das.example.org", ("https", "das.example.org", 443)),
        ("https://das.example.org:443/", ("https", "das.example.org", 443)),
        ("HTTPS://DAS.Example.ORG/", ("https", "das.example.org", 443)),
        ("https://login.example.org:8443/", ("https", "login.example.org", 8443)),
        ("https://192.0.2.7/", ("https", "192.0.2.7", 443)),
        ("https://[2001:db8::7]/", ("https", "2001:db8::7", 443)),
        ("https://[2001:DB8:0::0:7]/", ("https", "2001:db8::7", 443)),
        ("http://127.0.0.1:8190/", ("http", "127.0.0.1", 8190)),
        ("http://[::1]:8190/", ("http", "::1", 8190)),
        ("https://files.example.net/a?signature=%2F@x#part", ("https", "files.example.net", 443)),
        ("https://a.store.example.com/", ("https", "a.store.example.com", 443)),
        ("https://a.b-1.c.store.example.com/", ("https", "a.b-1.c.store.example.com", 443)),
    ],
)
def test_what_the_settings_name_may_be_called(url: str, leads_to: tuple[str, str, int]) -> None:
    assert LIST.judge(url) == leads_to


NOT_LISTED = """
    http://das.example.org/                   another scheme
    https://das.example.org:8443/             another port
    https://login.example.org/                another port
    http://127.0.0.1:8191/                    another port of this machine
    https://127.0.0.1:8190/                   another scheme on this machine
    http://localhost:8190/                    another name for this machine
    https://files.example.net:8443/           a listed host is called on 443 alone
    http://files.example.net/                 and by https alone
    http://files.example.net:443/
    https://sub.files.example.net/            a host is not its domain
    https://store.example.com/                *.domain is not the domain itself
    https://evilstore.example.com/
    https://a.store.example.com.evil.example/
    https://example.com/
    https://das.example.org.evil.example/
    https://evil.example/das.example.org
    https://evil.example/?das.example.org
    https://evil.example/#@das.example.org/
    https://xn--ds-eka.example.org/           a name that looks alike
    https://127.0.0.1/                        addresses that nobody named
    https://10.0.0.1/
    https://169.254.169.254/latest/meta-data
    https://192.0.2.8/
    https://[::1]/
    https://[::]/
    https://[::ffff:127.0.0.1]/
    https://[::ffff:192.0.2.7]/               not the literal that was named
    https://[::ffff:7f00:1]/
    https://[64:ff9b::7f00:1]/
    https://[2002:7f00:1::]/
    http://[::ffff:127.0.0.1]:8190/
"""
NOT_PLAIN = r"""
    https://user@das.example.org/
    https://user:password@das.example.org/
    https://@das.example.org/
    https://:@das.example.org/
    https://das.example.org@evil.example/
    https://das.example.org:443@evil.example/
    https://evil.example@das.example.org@evil.example/
    https://das.example.org%40evil.example/
    https://das.example.org%2eevil.example/
    https://%64as.example.org/
    https://das.example.org%00.evil.example/
    https://das.example.org\@evil.example/
    https://evil.example\@das.example.org/
    https://das.example.org\.evil.example/
    https:\\das.example.org/
    https:/\das.example.org/
    https://das.example.org#@evil.example/
    https://das.example.org?@evil.example/
    https://evil.example#das.example.org/
    https://das.example.org;evil.example/
    https://das.example.org,evil.example/
    https://das.example.org&evil.example/
    https://das_.example.org/
    https://das.example.org./
    https://.das.example.org/
    https://das..example.org/
    https://-das.example.org/
    https://das.example.org-/
    https://*.store.example.com/
    https://das.example.org:/
    https://das.example.org:0/
    https://das.example.org:0443/
    https://das.example.org:65979/
    https://das.example.org:443443/
    https://das.example.org:+443/
    https://das.example.org:443:443/
    https:///das.example.org/
    https://
    https:das.example.org/
    //das.example.org/
    das.example.org
    /requests
    ftp://das.example.org/
    file:///etc/passwd
    file://das.example.org/etc/passwd
    gopher://das.example.org/
    http+unix://das.example.org/
    javascript://das.example.org/
    https://2130706433/
    https://3232235777/
    https://0x7f000001/
    https://0x7f.0.0.1/
    https://0x7f.1/
    https://0177.0.0.1/
    https://017700000001/
    https://127.1/
    https://127.0.1/
    https://127.0.0.01/
    https://0/
    https://127.0.0.1./
    https://127.0.0.256/
    https://192.0.2.7.5/
    https://[127.0.0.1]/
    https://[::1/
    https://::1/
    https://[::1]]/
    https://[::1%lo]/
    https://[::1%25lo]/
    https://[fe80::1%25eth0]/
    https://[v1.fe80]/
    https://[das.example.org]/
    https://[:::]/
    https://d\u00e4s.example.org/
    https://\uff44as.example.org/
    https://das\u3002example.org/
    https://\u2460\u2461\u2466.0.0.1/
    https://das.example.org\u2044evil.example/
    http\u017f://das.example.org/
    https://das.example.org/caf\u00e9
    https://das.example.org/\n
    https://das.example.org/\r\nHost:evil.example
    https://das.example.org\n/
    https://das.exam\tple.org/
    https://das.example.org/\x00
    \x20https://das.example.org/
    https://das.example.org\x20/
    https://das.example.org/\x20
    https://das.example.org\x20@evil.example/
"""


def _urls(table: str) -> list[str]:
    firsts = [line.strip().split("  ")[0] for line in table.strip().splitlines()]
    escape = re.compile(r"\\(u[0-9a-f]{4}|x[0-9a-f]{2}|[nrt])")
    return [escape.sub(lambda found: found[0].encode().decode("unicode_escape"), first) for first in firsts]


@pytest.mark.parametrize("url", _urls(NOT_LISTED))
def test_everything_else_is_refused_by_its_host(url: str) -> None:
    with pytest.raises(DestinationRefused) as refused:
        LIST.judge(url)
    assert refused.value.message == f"{read(url).host} is not among the hosts that the node may call this way"
    assert "[egress] allow" in refused.value.next_step


@pytest.mark.parametrize("url", [*_urls(NOT_PLAIN), f"https://{'a' * 64}.example.org/", f"https://{'a.' * 127}org/"])
def test_what_parsers_might_read_in_two_ways_is_refused_unquoted(url: str) -> None:
    with pytest.raises(DestinationRefused, match="N606 an address is not written plainly") as refused:
        LIST.judge(url)
    assert not any(word in str(refused.value) for word in ("evil", "user:", "password@", "das.example"))


PLAIN = st.from_regex(r"https?://[a-zA-Z0-9.-]{1,12}(:[0-9]{1,5})?(/[!-~]{0,12})?", fullmatch=True)
TRICKY = st.from_regex(r"https?://[a-zA-Z0-9.@:\[\]%\\/?#\x00-\x20-]{1,20}", fullmatch=True)


@given(PLAIN | TRICKY | st.text())
def test_what_is_plain_is_read_by_requests_and_urllib3_in_the_same_way(url: str) -> None:
    try:
        leads_to = read(url)
    except DestinationRefused:
        return
    prepared = requests.Request("GET", url).prepare().url
    assert prepared
    parsed = parse_url(prepared)
    assert (parsed.auth, parsed.scheme, parsed.port or leads_to.port) == (None, leads_to.scheme, leads_to.port)
    assert f"{parsed.host}".strip("[]") == leads_to.host


def test_what_is_connected_to_is_judged_again_by_name_and_port() -> None:
    through = Destinations(NAMED, allow=ALLOW, proxy="http://192.0.2.1:3128", resolve=nobody_is_asked)
    assert through.proxy_addresses("https", "das.example.org", 443) == ["192.0.2.1"]
    for host, port in (("evil.example", 443), ("das.example.org", 8443), ("127.0.0.1", 443), ("das.example.org.", 443)):
        for find in (LIST.addresses, through.proxy_addresses):
            with pytest.raises(DestinationRefused):
                find("https", host, port)


@pytest.mark.parametrize(
    "name", ["https://das.example.org./v1", "https://2130706433/v1", "https://d\u00e4s.example.org"]
)
def test_a_list_is_not_made_of_what_is_not_plain(name: str) -> None:
    with pytest.raises(DestinationRefused, match="not written plainly"):
        Destinations([name])


def test_only_what_says_so_lies_on_this_machine() -> None:
    here = [Destination("http", host, 8190) for host in ("localhost", "127.0.0.1", "127.9.9.9", "::1")]
    there = [Destination("https", host, 443) for host in ("10.0.0.1", "localhost.example.org", "2001:db8::1")]
    assert [destination.is_on_this_machine for destination in here + there] == 4 * [True] + 3 * [False]
