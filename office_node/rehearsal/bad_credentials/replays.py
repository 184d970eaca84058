"""Rows 97 to 103 of auth-checks.md: an assertion is spent once, and lives no longer than it may."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Final
from uuid import uuid4

from office_node.rehearsal.bad_credentials import forging
from office_node.rehearsal.bad_credentials.adversary import AT_ONCE, Adversary, Answer
from office_node.rehearsal.bad_credentials.entry import Entry, Expected
from office_node.rehearsal.bad_credentials.expectations import INVALID_CLIENT, ISSUED, asking, bad

_TEN_YEARS: Final = 315_360_000


def _second(name: str, sentence: str, pair: Callable[[Adversary], tuple[str, str]]) -> Entry:
    """The second of two, after the first got its token."""

    def attempt(who: Adversary) -> Answer:
        first, second = pair(who)
        honest = who.ask(first)
        answer = who.ask(second)
        return answer if honest.status == 200 else replace(answer, flaw=f"after {honest.told()} for the honest one")

    return asking(97, name, sentence, INVALID_CLIENT, attempt)


def _same(who: Adversary) -> tuple[str, str]:
    assertion = who.assertion()
    return assertion, assertion


def _signed_anew(who: Adversary) -> tuple[str, str]:
    jti = uuid4().hex
    return who.assertion(jti=jti), who.assertion(jti=jti)


def _twin(who: Adversary) -> tuple[str, str]:
    honest = who.assertion()
    return honest, forging.twin(honest)


def _documented_again(who: Adversary) -> Answer:
    """To a strict client the first is refused already."""
    assertion = who.documented()
    who.ask(assertion)
    return who.ask(assertion)


def _after_exp(who: Adversary) -> Answer:
    """Within the tolerance between two clocks the first may still get its token; never the second."""
    assertion = who.assertion(exp=who.now() - 20, iat=who.now() - 60)
    who.ask(assertion)
    return who.ask(assertion)


def _forged_first(who: Adversary) -> Answer:
    jti = uuid4().hex
    who.ask(who.assertion(None, forging.es(who.stranger), jti=jti))
    return who.ask(who.assertion(jti=jti))


def _other_case(who: Adversary) -> Answer:
    jti = f"a{uuid4().hex}"
    who.ask(who.assertion(jti=jti))
    return who.ask(who.assertion(jti=jti.upper()))


def _at_once(who: Adversary, assertions: list[str]) -> Counter[int]:
    with ThreadPoolExecutor(AT_ONCE) as threads:
        return Counter(answer.status for answer in threads.map(who.ask, assertions))


def _one_at_once(who: Adversary) -> Answer:
    statuses = _at_once(who, [who.assertion()] * AT_ONCE)
    others = {status: times for status, times in statuses.items() if status != 200}
    once = statuses[200] == 1 and set(others) <= {400, 401}
    return Answer(min(others, default=200), "invalid_client", "" if once else f"and {statuses[200]} tokens, {others}")


def _many_at_once(who: Adversary) -> Answer:
    statuses = _at_once(who, [who.assertion() for _ in range(AT_ONCE)])
    return Answer(200, flaw="" if statuses[200] == AT_ONCE else f"{statuses[200]} times of {AT_ONCE}")


ENTRIES: Final[list[Entry]] = [
    _second("same again", "the same assertion again", _same),
    _second("jti signed anew", "the same jti, newly signed", _signed_anew),
    _second("twin signature", "the same assertion under its second valid signature", _twin),
    asking(97, "documented again", "WIPO's documented assertion again", INVALID_CLIENT, _documented_again),
    asking(98, "one at once", f"one assertion {AT_ONCE} times at once: one token", INVALID_CLIENT, _one_at_once),
    asking(99, "many at once", f"{AT_ONCE} assertions at once: {AT_ONCE} tokens", ISSUED, _many_at_once),
    asking(100, "forged first", "an honest assertion after a forged one with its jti", ISSUED, _forged_first),
    asking(101, "jti in other case", "a jti that differs in case is another", ISSUED, _other_case),
    asking(102, "again after exp", "the same assertion again, after its exp", Expected((400, 401)), _after_exp),
    bad(103, "ten years", "exp in ten years", lambda who: who.assertion(exp=who.now() + _TEN_YEARS)),
    bad(
        103,
        "beyond the cap",
        "exp farther ahead than allowed",
        lambda who: who.assertion(exp=who.now() + who.max_assertion_seconds + 120),
    ),
]
