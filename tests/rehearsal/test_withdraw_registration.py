"""E8: an office withdraws a document from simulated WIPO."""

from tests.rehearsal.wipo import NAMED, Wipo, problems

KEY = "patent US 98/012,357"


def test_a_withdrawn_document_is_not_registered_any_more(wipo: Wipo) -> None:
    told = wipo.register().json()
    answer = wipo.withdraw()
    assert (answer.status_code, answer.content) == (204, b"")
    for asked in (
        wipo.available(),
        wipo.certificate(),
        wipo.change(),
        wipo.call("GET", f"registrations/{told['requestAckId']}"),
    ):
        assert problems(asked) == (400, [-7])
    assert wipo.times("withdrawn") == {KEY: 1}


def test_the_document_is_named_in_a_body_as_well(wipo: Wipo) -> None:
    wipo.register()
    assert wipo.call("DELETE", "registrations", json=NAMED).status_code == 204


def test_a_repeat_finds_nothing_and_is_counted(wipo: Wipo) -> None:
    wipo.register()
    wipo.withdraw()
    assert [problems(wipo.withdraw()) for _ in range(2)] == [(400, [-7])] * 2
    assert wipo.times("withdrawn") == {KEY: 3}


def test_who_does_not_know_date_and_code_withdraws_nothing(wipo: Wipo) -> None:
    assert problems(wipo.withdraw()) == (400, [-7])
    wipo.register()
    assert problems(wipo.withdraw(documentDate="2023-11-03")) == (400, [-12])
    assert problems(wipo.withdraw(dasAccessCode="ZZ99")) == (400, [-14])
    assert problems(wipo.withdraw(documentDate="2023-11-03", dasAccessCode="ZZ99")) == (400, [-12, -14])
    assert problems(wipo.call("DELETE", "registrations")) == (400, [-1])
    assert problems(wipo.call("DELETE", "registrations", json={})) == (400, [-1] * 4)
    assert wipo.ledger("withdrawn") == {}
    assert wipo.available().status_code == 200


def test_a_withdrawn_document_may_be_registered_anew(wipo: Wipo) -> None:
    file_id = wipo.deposit()
    wipo.register(fileId=file_id)
    wipo.withdraw()
    assert wipo.register(fileId=file_id, documentDate="2023-11-05").status_code == 201
    assert wipo.register().status_code == 409
    assert wipo.change(documentDate="2023-11-06").status_code == 200
    assert wipo.withdraw(documentDate="2023-11-06").status_code == 204
    assert wipo.times("registered") == {KEY: 1, f"{KEY} #2": 2}
    assert wipo.times("withdrawn") == {KEY: 1, f"{KEY} #2": 1}
    [corrected] = wipo.times("corrected")
    assert corrected.startswith(f"{KEY} #2 ")
