"""A data key opens with the storage key it is wrapped to, and with no other."""

import base64
import json

import pytest
from joserfc import jwe
from joserfc.jwk import ECKey

from office_node.library.sealing.storage_keys import StorageKeyMissing, StorageKeys


def test_a_wrapped_key_opens_again() -> None:
    keys = holding(old_key := new_key())
    data_key, wrapped = keys.new_data_key()
    assert keys.unwrap(wrapped.text) == data_key
    assert wrapped.storage_kid == old_key.kid == keys.current_kid


def test_the_public_half_is_enough_to_take_in() -> None:
    key = new_key()
    data_key, wrapped = holding(ECKey.import_key(key.as_dict(private=False))).new_data_key()
    assert holding(key).unwrap(wrapped.text) == data_key


def test_a_key_wrapped_to_the_old_storage_key_opens_and_is_wrapped_to_the_new_one() -> None:
    old, new = new_key(), new_key()
    data_key, wrapped = holding(old).new_data_key()
    both = holding(new, old)
    assert both.unwrap(wrapped.text) == data_key
    again = both.rewrap(wrapped.text)
    assert again.storage_kid == new.kid
    assert holding(new).unwrap(again.text) == data_key


def test_without_its_storage_key_it_does_not_open() -> None:
    _, wrapped = holding(old := new_key()).new_data_key()
    with pytest.raises(StorageKeyMissing, match=str(old.kid)):
        holding(new_key()).unwrap(wrapped.text)


def test_a_changed_wrapped_key_does_not_open() -> None:
    keys = holding(new_key())
    _, wrapped = keys.new_data_key()
    parts = wrapped.text.split(".")
    for place, part in enumerate(parts):
        changed = ("A" if part[5] != "A" else "B").join([part[:5], part[6:]])
        with pytest.raises(StorageKeyMissing):
            keys.unwrap(".".join([*parts[:place], changed, *parts[place + 1 :]]))


@pytest.mark.parametrize("algorithm", ["ECDH-ES", "ECDH-ES+A128KW"])
def test_no_other_algorithm_is_taken(algorithm: str) -> None:
    key = new_key()
    head = {"alg": algorithm, "enc": "A256GCM", "kid": key.kid}
    with pytest.raises(StorageKeyMissing):
        holding(key).unwrap(jwe.encrypt_compact(head, bytes(32), key, algorithms=[algorithm, "A256GCM"]))


def test_nothing_of_the_data_key_is_shown() -> None:
    data_key, wrapped = holding(new_key()).new_data_key()
    assert "zip" not in json.loads(base64.urlsafe_b64decode(wrapped.text.split(".")[0] + "=="))
    assert wrapped.text not in repr(wrapped)
    assert base64.urlsafe_b64encode(data_key).decode().rstrip("=") not in wrapped.text


def new_key() -> ECKey:
    key = ECKey.generate_key("P-256")
    key.ensure_kid()
    return key


def holding(current: ECKey, *others: ECKey) -> StorageKeys:
    current.ensure_kid()
    return StorageKeys(lambda: current, lambda: {str(key.kid): key for key in (current, *others)})
