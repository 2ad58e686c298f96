"""A sandbox host changes nothing: the restricted tier behind one keeps what every tier promises."""

import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from sandbox.remote import RemoteSandbox
from sandbox.restricted import RestrictedSandbox
from tests.integration.remote.conftest import connected, hosting
from tests.integration.sandbox.conftest import UID, Run, runner
from tests.integration.sandbox.test_contract import (  # noqa: F401 - collected from here, with this module's fixtures
    test_all_of_a_run_is_freed_when_it_is_over,
    test_call_with_too_many_values_is_the_programs_own_mistake,
    test_dry_run_is_told_to_the_program,
    test_each_limit_ends_the_run_from_outside,
    test_log_line_with_too_many_values_is_left_out_and_says_so,
    test_logs_keep_order_text_and_fields,
    test_process_that_dies_is_an_ordinary_outcome,
    test_program_gets_its_inputs_and_gives_json,
    test_random_follows_the_seed_and_hashes_are_fixed,
    test_refused_program_does_not_run,
    test_result_over_the_limit_is_bad_result,
    test_result_with_too_many_values_is_bad_result,
    test_source_that_cannot_be_compiled_is_refused_not_crashed,
    test_uncaught_exception_names_the_authors_line,
    test_usage_is_measured,
    test_what_is_not_json_is_bad_result_naming_the_path,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sandbox() -> AsyncIterator[RemoteSandbox]:
    hosted = RestrictedSandbox(uid=UID, pool_size=2)
    await hosted.open()
    try:
        with tempfile.TemporaryDirectory(prefix="glovebox-") as directory:
            path = Path(directory) / "sandbox.sock"
            async with hosting(path, hosted), connected(path) as remote:
                yield remote
    finally:
        await hosted.close()


@pytest.fixture
def run(sandbox: RemoteSandbox) -> Run:
    return runner(sandbox)  # type: ignore[arg-type] # it is as good as the sandbox that it stands for
