"""Whatever JSON and whatever text comes: an answer that was meant, never a failure of ours."""

import json
from typing import Any
from urllib.parse import urlencode

from hypothesis import given, settings
from hypothesis import strategies as st

from office_node.rehearsal.operator import Wanted
from tests.off_retrievals.bench import ID_NAMES, Bench, das_codes, message

WANTED = Wanted("patent", "US 98/765,432", "2023-11-02", "AB21")
RIGHT = {**message(WANTED), **dict.fromkeys(ID_NAMES)}
EXAMPLES = settings(max_examples=150, deadline=None, database=None)

texts = st.text(st.characters(codec=None, exclude_categories=()), max_size=120)
near_texts = st.sampled_from([value for value in RIGHT.values() if value]).flatmap(
    lambda right: st.builds(lambda place, added: right[:place] + added + right[place:], st.integers(0, 20), texts)
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts | near_texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
members = st.dictionaries(st.sampled_from(list(RIGHT)) | texts, values, max_size=6)
queries = st.dictionaries(st.sampled_from([*RIGHT, "fileId"]) | texts, texts | near_texts, max_size=6)


def _is_meant(bench: Bench, body: Any) -> bool:
    sent = json.dumps(body).encode()
    answer = bench.caller().call("POST", "retrievals", data=sent, content_type="application/json")
    return answer.status_code == 201 or (answer.status_code == 400 and bool(das_codes(answer)))


@EXAMPLES
@given(body=values)
def test_row_38_any_json_gets_an_answer_that_was_meant(sqlite_bench: Bench, body: Any) -> None:
    assert _is_meant(sqlite_bench, body)


@EXAMPLES
@given(changed=members)
def test_any_change_to_a_message_gets_an_answer_that_was_meant(sqlite_bench: Bench, changed: dict[str, Any]) -> None:
    assert _is_meant(sqlite_bench, {**RIGHT, **changed})


@EXAMPLES
@given(changed=queries)
def test_row_38_any_query_gets_an_answer_that_was_meant(sqlite_bench: Bench, changed: dict[str, str]) -> None:
    query = urlencode({**WANTED.members(), **changed}, errors="surrogatepass")
    answer = sqlite_bench.caller().call("GET", "url-downloads", query_string=query)
    assert answer.status_code in (400, 404)
    assert das_codes(answer)
