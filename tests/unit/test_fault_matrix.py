"""The committed fault matrix is what its rows make, and in each of them everything promised was seen."""

from pathlib import Path

from tests.faults.matrix import NOT_SHOWN, Matrix, Row

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/faults.md"


def shown_row(fault: str = "a fault", *, callers: str = "fine", left: str = "nothing") -> Row:
    return Row("Group", fault, "nothing is lost", "fast", callers, "agree", "0", "1 ended", left, "0.1 s")


def test_page_is_made_of_its_rows() -> None:
    assert PAGE.read_text() == Matrix.read(PAGE.with_suffix(".json")).page()


def test_everything_promised_was_seen() -> None:
    rows = Matrix.read(PAGE.with_suffix(".json")).rows

    assert rows
    assert [row.fault for row in rows if not row.holds_up] == []


def test_row_that_a_test_did_not_get_through_does_not_hold_up() -> None:
    assert shown_row().holds_up
    assert not shown_row(left=NOT_SHOWN).holds_up


def test_rows_that_were_not_seen_anew_stay(tmp_path: Path) -> None:
    page = tmp_path / "faults.md"
    Matrix([shown_row("old"), shown_row("both", callers="before")]).write(page)

    Matrix([shown_row("both", callers="after")]).write(page)

    kept = Matrix.read(page.with_suffix(".json"))
    assert {row.fault: row.callers for row in kept.rows} == {"old": "fine", "both": "after"}
    assert page.read_text() == kept.page()
