"""Where a caller is: no header that it sends itself is ever believed, through however many proxies."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from office_node.network.callers import Callers, ForwardingRefused, Networks
from tests.network.lines import ask
from tests.office import Office, eventually, make_office

ALLOWED, STRANGER, PROXY, OUTER_PROXY = "127.0.0.1", "127.0.0.66", "127.0.0.9", "127.0.0.8"

# What a stranger says to look as if it were ALLOWED.
FORGED = {
    "one address": [("X-Forwarded-For", ALLOWED)],
    "two fields": [("X-Forwarded-For", ALLOWED), ("X-Forwarded-For", ALLOWED)],
    "a chain": [("X-Forwarded-For", f"{ALLOWED}, {PROXY}")],
    "a chain that ends where it should begin": [("X-Forwarded-For", f"{PROXY}, {ALLOWED}")],
    "a long chain": [("X-Forwarded-For", ", ".join([ALLOWED] * 50))],
    "chains in two fields": [("X-Forwarded-For", f"{ALLOWED}, {PROXY}"), ("X-Forwarded-For", PROXY)],
    "an empty field": [("X-Forwarded-For", "")],
    "commas alone": [("X-Forwarded-For", ",,,")],
    "an address with a port": [("X-Forwarded-For", f"{ALLOWED}:443")],
    "an address in quotes": [("X-Forwarded-For", f'"{ALLOWED}"')],
    "an address in brackets": [("X-Forwarded-For", f"[{ALLOWED}]")],
    "an IPv4-mapped address": [("X-Forwarded-For", f"::ffff:{ALLOWED}")],
    "the loopback of IPv6": [("X-Forwarded-For", "::1")],
    "a name": [("X-Forwarded-For", "localhost")],
    "unknown": [("X-Forwarded-For", "unknown")],
    "a decimal address": [("X-Forwarded-For", "2130706433")],
    "a hexadecimal address": [("X-Forwarded-For", "0x7f000001")],
    "a short address": [("X-Forwarded-For", "127.1")],
    "zeros before": [("X-Forwarded-For", "127.000.000.001")],
    "a network": [("X-Forwarded-For", "127.0.0.0/8")],
    "a zone": [("X-Forwarded-For", "fe80::1%lo")],
    "another case": [("x-forwarded-FOR", ALLOWED)],
    "an underscore": [("X_Forwarded_For", ALLOWED)],
    "underscore and hyphen": [("X_Forwarded-For", ALLOWED)],
    "Forwarded": [("Forwarded", f"for={ALLOWED};proto=https;by={PROXY}")],
    "Forwarded in quotes": [("Forwarded", f'for="{ALLOWED}:443", for="[::1]"')],
    "X-Real-IP": [("X-Real-IP", ALLOWED)],
    "X-Client-IP": [("X-Client-IP", ALLOWED)],
    "X-Forwarded": [("X-Forwarded", ALLOWED)],
    "X-Original-Forwarded-For": [("X-Original-Forwarded-For", ALLOWED)],
    "X-Cluster-Client-IP": [("X-Cluster-Client-IP", ALLOWED)],
    "X-Remote-Addr": [("X-Remote-Addr", ALLOWED)],
    "Remote-Addr": [("Remote-Addr", ALLOWED)],
    "REMOTE_ADDR": [("REMOTE_ADDR", ALLOWED)],
    "True-Client-IP": [("True-Client-IP", ALLOWED)],
    "CF-Connecting-IP": [("CF-Connecting-IP", ALLOWED)],
    "Fastly-Client-IP": [("Fastly-Client-IP", ALLOWED)],
    "Client-IP": [("Client-IP", ALLOWED)],
    "Via": [("Via", f"1.1 {ALLOWED}")],
    "X-ProxyUser-Ip": [("X-ProxyUser-Ip", ALLOWED)],
}


@pytest.fixture(scope="module")
def offices(tmp_path_factory: pytest.TempPathFactory, keys_folder: Path) -> Iterator[list[Office]]:
    """Running offices behind no, one and two proxies, where only ALLOWED may call."""
    made = []
    for proxies in (0, 1, 2):
        ingress = {
            "allow": [f"{ALLOWED}/32"],
            "trusted_proxies": proxies,
            "proxy_networks": [f"{PROXY}/32", f"{OUTER_PROXY}/32"],
        }
        overrides: dict[str, dict[str, Any]] = {"ingress": ingress, "web": {"workers": 1}}
        office = make_office(tmp_path_factory.mktemp(f"behind-{proxies}"), keys_folder, None, overrides)
        office.upgrade()
        office.start("web")
        made.append(office)
    for office in made:
        eventually(lambda office=office: ask_quietly(office))  # type: ignore[misc]
    yield made
    for office in made:
        office.close()


def ask_quietly(office: Office) -> bool:
    """Whether it answers, from an address that the tests do not use."""
    try:
        return ask(office.url, "127.0.0.5").status == 403
    except OSError:
        return False


@pytest.mark.parametrize("forged", FORGED.values(), ids=FORGED)
def test_a_stranger_that_calls_itself_is_not_believed(offices: list[Office], forged: list[tuple[str, str]]) -> None:
    for office in offices:
        answer = ask(office.url, STRANGER, forged)
        assert (answer.status, answer.code) == (403, "ADDRESS_REFUSED")


@pytest.mark.parametrize("forged", FORGED.values(), ids=FORGED)
def test_a_stranger_is_not_believed_through_honest_proxies(
    offices: list[Office], forged: list[tuple[str, str]]
) -> None:
    """An honest proxy appends the address it was called from, as a field of its own or to the one that came."""
    _, behind_one, behind_two = offices
    for appended in _through(forged, STRANGER):
        assert ask(behind_one.url, PROXY, appended).status == 403
        for twice in _through(appended, OUTER_PROXY):
            assert ask(behind_two.url, PROXY, twice).status == 403


@pytest.mark.parametrize("forged", FORGED.values(), ids=FORGED)
def test_an_allowed_caller_is_served_whatever_else_it_sends(
    offices: list[Office], forged: list[tuple[str, str]]
) -> None:
    behind_none, behind_one, behind_two = offices
    nonsense = [(name, value.replace(ALLOWED, STRANGER)) for name, value in forged]
    assert ask(behind_none.url, ALLOWED, nonsense).status == 200
    for appended in _through(nonsense, ALLOWED):
        assert ask(behind_one.url, PROXY, appended).status == 200
        for twice in _through(appended, OUTER_PROXY):
            assert ask(behind_two.url, PROXY, twice).status == 200


def test_no_header_moves_the_script_the_path_or_the_scheme(offices: list[Office]) -> None:
    moved = [
        ("SCRIPT_NAME", "/oauth2"),
        ("PATH_INFO", "/nowhere"),
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Ssl", "off"),
    ]
    assert ask(offices[0].url, ALLOWED, moved).status == 200


def test_the_log_tells_why_a_proxy_was_not_believed(offices: list[Office]) -> None:
    _, behind_one, behind_two = offices
    assert ask(behind_one.url, PROXY).status == 403
    assert ask(behind_two.url, PROXY, [("X-Forwarded-For", f"{ALLOWED}, 198.51.100.1")]).status == 403
    lines = [line for office in (behind_one, behind_two) for line in office.log_lines() if line.get("code") == "N416"]
    reasons = [line["reason"] for line in lines]
    assert "X-Forwarded-For has fewer than 1 elements" in reasons
    assert f"X-Forwarded-For from {PROXY} names 198.51.100.1 where a proxy of ours should be" in reasons


def _through(lines: list[tuple[str, str]], caller: str) -> Iterator[list[tuple[str, str]]]:
    """What a proxy that was called from `caller` makes of the lines: both ways to append that RFC 9110 5.3 allows."""
    yield [*lines, ("X-Forwarded-For", caller)]
    sent = [value for name, value in lines if name.lower() == "x-forwarded-for"]
    others = [(name, value) for name, value in lines if name.lower() != "x-forwarded-for"]
    yield [*others, ("X-Forwarded-For", ", ".join([*sent, caller]))]


NETWORKS = Networks(["10.0.0.0/8", "fd00::/8"])
BELIEVED = [
    (0, "10.0.0.1", "192.0.2.1", "10.0.0.1"),
    (1, "192.0.2.9", "192.0.2.1", "192.0.2.9"),
    (1, "10.0.0.1", "192.0.2.1", "192.0.2.1"),
    (1, "10.0.0.1", "evil, 192.0.2.1", "192.0.2.1"),
    (1, "10.0.0.1", "evil,\t192.0.2.1 ", "192.0.2.1"),
    (1, "10.0.0.1", "10.9.9.9", "10.9.9.9"),
    (1, "::ffff:10.0.0.1", "::ffff:192.0.2.1", "192.0.2.1"),
    (1, "::ffff:192.0.2.9", None, "192.0.2.9"),
    (1, "fd00::1", "2001:DB8::1", "2001:db8::1"),
    (1, "fe80::1%eth0", None, "fe80::1"),
    (2, "10.0.0.1", "evil, 192.0.2.1, 10.0.0.2", "192.0.2.1"),
    (3, "10.0.0.1", "2001:db8::1, fd00::3, 10.0.0.2", "2001:db8::1"),
]
REFUSED = [
    (1, "10.0.0.1", None),
    (1, "10.0.0.1", ""),
    (1, "10.0.0.1", " "),
    (1, "10.0.0.1", "192.0.2.1,"),
    (1, "10.0.0.1", "192.0.2.1 192.0.2.2"),
    (1, "10.0.0.1", "192.0.2.1:80"),
    (1, "10.0.0.1", "[2001:db8::1]"),
    (1, "10.0.0.1", "2001:db8::1%1"),
    (1, "10.0.0.1", "1\u0669\u0662.0.2.1"),
    (1, "10.0.0.1", "\u00a0192.0.2.1"),
    (1, "", "192.0.2.1"),
    (2, "10.0.0.1", "192.0.2.1"),
    (2, "10.0.0.1", "192.0.2.1, 192.0.2.2"),
    (2, "10.0.0.1", "192.0.2.1, , 10.0.0.2"),
    (2, "10.0.0.1", "192.0.2.1, unknown"),
]


@pytest.mark.parametrize(("proxies", "peer", "header", "caller"), BELIEVED)
def test_the_right_end_of_the_header_counts(proxies: int, peer: str, header: str | None, caller: str) -> None:
    assert str(Callers(trusted_proxies=proxies, proxy_networks=NETWORKS).address(peer, header)) == caller


@pytest.mark.parametrize(("proxies", "peer", "header"), REFUSED)
def test_what_is_no_plain_address_where_one_counts_is_refused(proxies: int, peer: str, header: str | None) -> None:
    with pytest.raises(ForwardingRefused):
        Callers(trusted_proxies=proxies, proxy_networks=NETWORKS).address(peer, header)
