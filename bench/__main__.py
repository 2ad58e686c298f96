"""`glovebox bench`, or `python -m bench`: what runs cost on this machine."""

import logging
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import structlog

from bench.compare import compare
from bench.measuring import measure_all
from bench.options import Options, read_options
from bench.page import write_page
from bench.report import Report, make_report, render_table, write_atomically


def main() -> None:
    """Measure, or take what was measured; then print, write and compare as asked."""
    options = read_options(sys.argv[1:])
    report = _measure(options) if options.given is None else Report.from_json(options.given.read_text())
    sys.stdout.write(report.to_json() if options.json else f"{render_table(report)}\n")
    if options.out is not None:
        write_atomically(options.out, report.to_json())
    if options.page is not None:
        write_page(options.page, report)
    worse = False
    if options.compare is not None:
        text, worse = compare(report, Report.from_json(options.compare.read_text()), options.factor)
        sys.stdout.write(f"\n{text}\n")
    if any(row.failed for row in report.rows):
        sys.exit("some calls failed: their rows do not count")
    if worse:
        sys.exit(1)


def _measure(options: Options) -> Report:
    began_at = datetime.now(UTC)
    # Only what was asked for goes to standard output.
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
    )
    with tempfile.TemporaryDirectory(prefix="glovebox-bench-") as scratch:
        Path(scratch).chmod(0o755)  # the database's own uid must be able to pass through
        rows = []
        for row in measure_all(options, Path(scratch)):
            elapsed = datetime.now(UTC) - began_at
            sys.stderr.write(f"{elapsed.total_seconds():4.0f} s  {row.name}\n")
            rows.append(row)
    return make_report([rows[-1], *rows[:-1]], " ".join(["glovebox bench", *sys.argv[1:]]), began_at)


if __name__ == "__main__":
    main()
