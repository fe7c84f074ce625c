import re

import pytest

from phones.errors import SippFailed
from phones.sipp import read_tally, scenario

pytestmark = pytest.mark.unit

HEAD = (
    "StartTime;ElapsedTime(C);TotalCallCreated;SuccessfulCall(C);FailedCall(C);FailedUnexpectedMessage(C);"
    "FailedTimeoutOnRecv(C);Retransmissions(C);answered(C);\n"
)


def test_the_last_row_of_the_statistics_counts() -> None:
    stat = f"{HEAD}t;00:00:01:000000;3;1;0;0;0;0;1;\nt;00:01:02:500000;10;7;3;2;1;4;8;\n"
    tally = read_tally(stat, ["Date_ms;response_time_ms;rtd_name\n1;250.0;answer\n2;100;answer\n3;7;other\n"])
    assert (tally.created, tally.succeeded, tally.failed, tally.answered, tally.retransmissions) == (10, 7, 3, 8, 4)
    assert tally.seconds == 62.5
    assert tally.failures == {"FailedUnexpectedMessage": 2, "FailedTimeoutOnRecv": 1}
    assert tally.answer_seconds == (0.1, 0.25)
    assert (tally.answer_share(0.0), tally.answer_share(0.95), tally.answer_share(1.0)) == (0.1, 0.25, 0.25)


@pytest.mark.parametrize("stat", ["", HEAD])
def test_no_statistics_is_a_failure_with_the_log(stat: str) -> None:
    with pytest.raises(SippFailed, match="cannot bind"):
        read_tally(stat, [], "cannot bind")


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("caller", {"answer_ms": "1", "talk_ms": "2", "then": "", "audio_port": "4000", "audio": "", "before": ""}),
        ("callee", {"ring_ms": "1", "talk": "", "audio_port": "4000", "audio": ""}),
        ("register", {"expires": "60"}),
    ],
)
def test_no_place_in_a_scenario_stays_empty(name: str, values: dict[str, str]) -> None:
    places = [part for part in scenario(name, **values).split("@") if part in values or part.endswith("_ms")]
    assert places == []


def test_a_caller_who_may_not_be_refused_has_nothing_of_it_in_its_scenario() -> None:
    text = scenario("caller", answer_ms="1", talk_ms="1", then="", audio_port="[media_port]", audio="", before="")
    assert "refus" not in text
    assert re.findall(r"@[a-z_]+@", text) == []
