"""The docker tier keeps what every tier promises. It has no policy, so nothing of a policy is asked of it."""

import pytest

from tests.integration.sandbox.test_contract import (  # noqa: F401 - collected from here, with this folder's fixtures
    test_all_of_a_run_is_freed_when_it_is_over,
    test_call_with_too_many_values_is_the_programs_own_mistake,
    test_dry_run_is_told_to_the_program,
    test_error_at_import_time_is_the_programs_failure,
    test_log_field_nested_too_deep_is_logged_as_text,
    test_log_line_with_too_many_values_is_left_out_and_says_so,
    test_logs_keep_order_text_and_fields,
    test_no_exception_escapes_as_success,
    test_process_that_dies_is_an_ordinary_outcome,
    test_program_gets_its_inputs_and_gives_json,
    test_random_follows_the_seed_and_hashes_are_fixed,
    test_result_over_the_limit_is_bad_result,
    test_result_that_contains_itself_is_bad_result,
    test_result_with_too_many_values_is_bad_result,
    test_runs_share_no_state,
    test_source_that_cannot_be_compiled_is_refused_not_crashed,
    test_uncaught_exception_names_the_authors_line,
    test_usage_is_measured,
    test_what_is_not_json_is_bad_result_naming_the_path,
)

pytestmark = pytest.mark.asyncio(loop_scope="session")
