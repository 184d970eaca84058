"""The running simulated WIPO, asked from another process of the same machine."""

from typing import Any

import requests

_TIMEOUT = (5, 90)


class CentralAway(Exception):
    """Simulated WIPO does not answer."""


def get(central_url: str, place: str) -> Any:
    """What a place under /rehearsal shows. Raises `CentralAway`."""
    return _asked("GET", f"{central_url}/rehearsal/{place}")


def post(central_url: str, place: str, message: dict[str, Any]) -> Any:
    """What a place under /rehearsal answers to `message`. Raises `CentralAway`."""
    return _asked("POST", f"{central_url}/rehearsal/{place}", json=message)


def answers(url: str) -> bool:
    """Whether anything at all answers there."""
    try:
        requests.get(url, timeout=_TIMEOUT, allow_redirects=False)
    except requests.RequestException:
        return False
    return True


def _asked(method: str, url: str, **request: Any) -> Any:
    try:
        answer = requests.request(method, url, timeout=_TIMEOUT, **request)
        answer.raise_for_status()
        return answer.json()
    except requests.RequestException as exc:
        raise CentralAway from exc
