"""An entry tried on the office, and whether the office did what it must."""

from functools import cache
from typing import Any, Final

import urllib3
from joserfc.jwk import ECKey, RSAKey

from office_node.rehearsal.bad_credentials.adversary import Adversary, NoHonestToken
from office_node.rehearsal.bad_credentials.entry import Entry
from office_node.rehearsal.central import Central

LURE_PATH: Final = "/rehearsal/lure"


@cache
def strangers_key() -> ECKey:
    """The key of somebody whom nobody registered."""
    return ECKey.generate_key("P-256")


@cache
def _strangers_rsa_key() -> RSAKey:
    return RSAKey.generate_key(2048)


def outcome(entry: Entry, central: Central) -> dict[str, Any]:
    """What was expected, what came, and whether it is as expected; no credential is in it."""
    expected = entry.right_for(central.settings.profile)
    try:
        answer = entry.attempt(_adversary(central))
    except NoHonestToken as exc:
        got, good = f"an honest request was refused before: {exc}", False
    except urllib3.exceptions.HTTPError as exc:
        got, good = f"no answer ({type(exc).__name__})", False
    except (KeyError, IndexError, ValueError, TypeError, AttributeError) as exc:
        # What came is so strange that the next credential cannot be made of it. Its text may quote a token.
        got, good = f"an answer that cannot be read ({type(exc).__name__})", False
    else:
        got, good = answer.told(), expected.meets(answer)
    return {**entry.told(), "sentence": entry.sentence, "expected": expected.told(), "got": got, "ok": good}


def _adversary(central: Central) -> Adversary:
    settings = central.settings
    return Adversary(
        office_url=settings.office_url,
        client_id=settings.wipo_client_id,
        scope=settings.scope,
        max_assertion_seconds=settings.max_assertion_seconds,
        key=settings.wipo_key,
        tokens=central.tokens,
        stranger=strangers_key(),
        stranger_rsa=_strangers_rsa_key(),
        lure_url=f"{settings.public_url}{LURE_PATH}",
        lure_visits=lambda: central.faults.visits().get("lure", 0),
    )
