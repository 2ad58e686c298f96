"""Where each answer leads: the links of the OpenAPI document, so that what one operation made is found by the next.

Source: OpenAPI 3.1, sections 4.8.20 (link object) and 4.8.20.3 (runtime expressions).
"""

from collections.abc import Mapping, Sequence
from typing import Any

Places = Mapping[str, str]  # of the next operation's parameters: where in this exchange each one is found

_AGENT: Places = {"agent_name": "$response.body#/agent_name"}
_URL: Places = {"user_id": "$response.body#/user_id", **_AGENT}
_VERSION: Places = {**_AGENT, "version": "$response.body#/version"}
_SAME_AGENT: Places = {"agent_name": "$request.path.agent_name"}
_RUN: Places = {"run_id": "$response.header.Glovebox-Run-Id"}
_BEGUN: Places = {"run_id": "$response.body#/id"}
_SAME_RUN: Places = {"run_id": "$request.path.run_id"}
_FIRST_RUN: Places = {"run_id": "$response.body#/items/0/id"}

_RUNNABLE = (("invoke_agent", _URL), ("invoke_agent_by_get", _URL), ("dry_run_agent", _URL))
_RAN = (
    ("show_run", _RUN), ("show_run_logs", _RUN), ("show_run_effects", _RUN), ("list_run_files", _RUN),
    ("replay_run", _RUN),
)  # fmt: skip
_GOES_ON = (("show_run", _BEGUN), ("show_run_logs", _BEGUN), ("cancel_run", _BEGUN))
_KEY: Places = {**_SAME_AGENT, "key": "$request.path.key"}

_LINKS: Mapping[tuple[str, str], Sequence[tuple[str, Places]]] = {
    ("create_agent", "201"): (
        *_RUNNABLE, ("show_agent", _AGENT), ("edit_agent", _AGENT), ("list_versions", _AGENT), ("check_agent", _AGENT),
        ("put_memory", _AGENT), ("put_secret", _AGENT), ("delete_agent", _AGENT),
    ),
    ("list_agents", "200"): (("show_agent", {"agent_name": "$response.body#/items/0/agent_name"}),),
    ("show_agent", "200"): (*_RUNNABLE, ("show_version", _VERSION), ("edit_agent", _AGENT), ("delete_agent", _AGENT)),
    ("edit_agent", "200"): (*_RUNNABLE, ("show_version", _VERSION), ("activate_version", _VERSION)),
    ("list_versions", "200"): (("show_version", {**_SAME_AGENT, "version": "$response.body#/items/0/version"}),),
    ("invoke_agent", "200"): _RAN,
    ("invoke_agent", "202"): _GOES_ON,
    ("invoke_agent_by_get", "200"): _RAN,
    ("invoke_agent_by_get", "202"): _GOES_ON,
    ("dry_run_agent", "200"): (*_RAN, ("apply_run", _RUN)),
    ("dry_run_agent", "202"): _GOES_ON,
    ("list_runs", "200"): (("show_run", _FIRST_RUN), ("show_run_logs", _FIRST_RUN), ("cancel_run", _FIRST_RUN)),
    ("list_run_files", "200"): (("get_run_file", {**_SAME_RUN, "name": "$response.body#/items/0/name"}),),
    ("list_generations", "200"): (("show_generation", {"generation_id": "$response.body#/items/0/id"}),),
    ("put_memory", "200"): (("show_memory", _KEY), ("list_memory", _SAME_AGENT), ("delete_memory", _KEY)),
    ("put_secret", "200"): (
        ("list_secrets", _SAME_AGENT), ("delete_secret", {**_SAME_AGENT, "name": "$request.path.name"}),
    ),
    ("create_api_key", "201"): (("revoke_api_key", {"api_key_id": "$response.body#/id"}),),
}  # fmt: skip


def add_links(operations: Mapping[str, Mapping[str, Any]]) -> None:
    """Write the links into a document's operations, given by their ids. Raises KeyError for one that it has not."""
    for (operation_id, status), found in _LINKS.items():
        response = operations[operation_id]["responses"][status]
        response["links"] = {
            target: {"operationId": operations[target]["operationId"], "parameters": dict(places)}
            for target, places in found
        }
