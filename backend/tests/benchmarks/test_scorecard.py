"""The scorecard has a line for every promise, and the promises hold in small sizes.

Promises that other tests verify are not measured twice. Time limits allow for a machine that runs other tests at the
same time: R8's /health and E5 may take twice as long, and R8's p99 is checked in full size only.
"""

from __future__ import annotations

import os

import psutil
import pytest

from benchmarks.promises import scorecard
from benchmarks.promises.lines import Line, by_tests
from benchmarks.promises.load import ended

MEASURED_HERE = ["R1", "R3", "R7", "R8", "R16", "E3", "E5"]
if hasattr(psutil.Process, "io_counters"):  # macOS does not count bytes written
    MEASURED_HERE.append("R6")


def test_every_promise_has_a_measurement():
    wanted = {f"R{number}" for number in range(1, 17)} | {"E3", "E4", "E5", "SOAK"}
    assert set(scorecard.measures()) == wanted


def test_a_measurement_that_raises_is_a_failed_promise(monkeypatch):
    def broken(_: bool) -> list[Line]:
        raise RuntimeError("no server")

    monkeypatch.setattr(scorecard, "measures", lambda: {"R1": broken})
    (line,) = scorecard.run(False, [])
    assert not line.passed and "no server" in line.measured and "FAIL" in scorecard.row(line)


def test_promises_verified_by_tests_name_the_failing_tests(tmp_path):
    file = tmp_path / "test_two.py"
    file.write_text("def test_good():\n    pass\n\n\ndef test_bad():\n    assert not 1\n")
    line = by_tests("R1", "", [str(file)], full=False)
    assert (line.measured, line.passed) == ("1 of 2 tests, not test_bad", False)


def test_only_the_named_promises_are_measured(monkeypatch):
    monkeypatch.setattr(
        scorecard, "measures", lambda: {name: lambda _, name=name: [Line(name, "", "", True)] for name in "abc"}
    )
    assert [line.promise for line in scorecard.run(False, ["b"])] == ["b"]


def test_unknown_promises_are_refused_and_names_may_be_lower_case(monkeypatch, capsys):
    monkeypatch.setattr(scorecard, "measures", lambda: {"R1": lambda _: [Line("R1", "", "", True)]})
    for given, code in ((["r1"], 0), (["R99"], 2), (["r1", "r99"], 2)):
        monkeypatch.setattr("sys.argv", ["scorecard", *given])
        with pytest.raises(SystemExit) as ended:
            scorecard.main()
        assert ended.value.code == code
        assert ("| R1 |" in capsys.readouterr().out) == (code == 0)


def test_the_card_states_when_and_on_which_machine():
    row = scorecard.row(Line("R1", "", "", True))
    assert f"{os.cpu_count()} cores" in row and "UTC" in row


def test_the_card_lists_missing_promises():
    rows = [scorecard.row(Line(name, "", "", True)) for name in scorecard.measures()]
    assert "Not measured yet: R1." in scorecard.card(rows[1:]) and "Not measured" not in scorecard.card(rows)


def test_a_new_measurement_replaces_only_its_own_lines():
    def rows(promise: str, measured: str) -> list[str]:
        return [scorecard.row(Line(promise, wanted, measured, True)) for wanted in ("one", "other")]

    old = f"# Scorecard\n\n{scorecard.table([*rows('R3', 'before'), *rows('R10', 'before')])}"
    found = scorecard.merged(old, [*rows("R10", "now"), *rows("R4", "now")])
    assert [(one.split("|")[1].strip(), one.split("|")[3].strip()) for one in found] == [
        *[("R3", "before")] * 2,
        *[("R4", "now")] * 2,
        *[("R10", "now")] * 2,
    ]


@pytest.mark.slow
@pytest.mark.parametrize("promise", MEASURED_HERE)
def test_promises_hold_in_small_sizes(promise):
    lines = scorecard.measures()[promise](False)
    assert lines and all(line.passed for line in lines), lines


if os.name == "posix":  # other systems cannot ask a process to exit

    @pytest.mark.slow
    @pytest.mark.parametrize("workers", [1, 2])
    def test_a_stopping_server_answers_every_accepted_request(workers):
        line = ended(1, workers)
        assert line.passed, line
