"""What the server refuses, and the one place where classes of every package become problem documents (RFC 9457).

ServerError
├── ForeignPathError        the path names another user
├── NoSuchRouteError        no route has this path
├── MethodNotAllowedError   the route does not know this method
├── PrefetchRefusedError    a speculative GET would have run code
├── BodyTooLargeError       more bytes than this route takes
├── BodyTooSlowError        the body did not arrive in time
├── BodyEncodedError        a Content-Encoding, which no route decodes
├── QueryTooLongError       more query than any route takes
├── PathTooLongError        more path than any route has
├── HeadersTooLargeError    more header bytes or fields than any route takes
├── InvalidRequestError     a query, path or body that the route cannot read
├── InvalidCursorError      a cursor that the list did not make
├── InvalidKeyError         an Idempotency-Key that is none
├── KeyUnsupportedError     an Idempotency-Key for a route whose answers cannot be kept
├── TooManyStreamsError     the caller follows as many runs as one may
├── InvalidInputsError      inputs that do not fit the agent's contract; nothing was held
├── PreconditionRequiredError  the route wants If-Match
├── CodeRejectedError       the policy refuses the code; nothing was stored
├── GenerationUnavailableError  no model is set up, or the provider refuses what the operator set up
├── ModelUnavailableError   the model provider is busy or cannot be reached
├── GenerationEndedError    a generation ended without an agent; what it used was charged
│   ├── GenerationFailedError   no attempt passed
│   └── GenerationRefusedError  the model refused the task
├── UserBusyError           the caller has too many runs at once; nothing was held
├── UserBytesError          the caller's requests hold too many bytes at once; nothing was held
├── ServerBusyError         no place came free in time; nothing was held
├── ShuttingDownError       this process admits nothing more; nothing was held
├── UnknownMemoryError      the agent remembers nothing under this key
├── SecretsUnavailableError the operator set no keys that seal secrets; nothing was kept
├── NotApplicableError      a dry run that cannot be carried out; nothing was held
├── NotReplayableError      a run that cannot be run again from its record; nothing ran
├── RunLostError            a run that began did not end through any fault of its program; nothing was charged
│   └── RunNotStartedError  every sandbox was busy after all; nothing ran
│       └── TierGoneError   its tier went away before it could run; nothing ran
└── NotReadyError           a dependency of this process does not answer
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from agents_store import errors as store
from agents_store.types import DryRunRate
from sandbox import errors as sandbox
from server.auth import errors as auth

JsonObject = Mapping[str, Any]


class ServerError(Exception):
    """Base of everything that the server itself refuses.

    Attributes:
        detail: what happened and what to do, for people; safe to send.
    """

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class ForeignPathError(ServerError):
    """The path names another user."""

    def __init__(self) -> None:
        super().__init__("The path names another user; call your own agents only.")


class NoSuchRouteError(ServerError):
    """No route has this path."""

    def __init__(self) -> None:
        super().__init__("Nothing is served at this path; /openapi.json lists what is.")


class MethodNotAllowedError(ServerError):
    """The route does not know this method.

    Attributes:
        allow: the methods that it knows, as the Allow header has them.
    """

    def __init__(self, allow: str) -> None:
        super().__init__(f"This path takes {allow}.")
        self.allow = allow


class PrefetchRefusedError(ServerError):
    """A speculative GET would have run code."""

    def __init__(self) -> None:
        super().__init__("A prefetch must not run an agent; call again without Sec-Purpose, or use POST.")


class BodyTooLargeError(ServerError):
    """The body has more bytes than this route takes."""

    def __init__(self, body_bytes_max: int) -> None:
        super().__init__(f"The body may have at most {body_bytes_max} bytes.")
        self.body_bytes_max = body_bytes_max


class BodyTooSlowError(ServerError):
    """The body did not arrive in time."""

    def __init__(self, body_ms_max: int) -> None:
        super().__init__(f"The body must arrive within {body_ms_max} ms.")
        self.body_ms_max = body_ms_max


class BodyEncodedError(ServerError):
    """The body has a Content-Encoding. None is decoded: what it unfolds to has no bound that the sender pays for."""

    def __init__(self) -> None:
        super().__init__("Send the body as it is, without a Content-Encoding.")


class QueryTooLongError(ServerError):
    """The query has more bytes than any route takes."""

    def __init__(self, query_bytes_max: int) -> None:
        super().__init__(f"The query may have at most {query_bytes_max} bytes; send larger inputs as a POST body.")
        self.query_bytes_max = query_bytes_max


class PathTooLongError(ServerError):
    """The path has more bytes than any route's."""

    def __init__(self, path_bytes_max: int) -> None:
        super().__init__(f"The path may have at most {path_bytes_max} bytes.")
        self.path_bytes_max = path_bytes_max


class HeadersTooLargeError(ServerError):
    """The request has more header fields, or header bytes, than any route takes."""

    def __init__(self, header_bytes_max: int, header_fields_max: int) -> None:
        super().__init__(f"At most {header_fields_max} header fields of {header_bytes_max} bytes together are read.")
        self.header_bytes_max = header_bytes_max
        self.header_fields_max = header_fields_max


class _ListedError(ServerError):
    """A refusal that points at each place: `errors` has one object per place."""

    def __init__(self, detail: str, errors: Sequence[JsonObject] = ()) -> None:
        super().__init__(detail)
        self.errors = tuple(errors)


class InvalidRequestError(_ListedError):
    """A query, path or body that the route cannot read. Each of `errors` has `path` and `message`."""


class InvalidCursorError(ServerError):
    """A cursor that the list did not make."""

    def __init__(self) -> None:
        super().__init__("This cursor was not made by this list; start again without one.")


class InvalidKeyError(ServerError):
    """An Idempotency-Key that is none, or several of them."""

    def __init__(self) -> None:
        super().__init__("Send one Idempotency-Key of 1 to 255 visible ASCII characters.")


class KeyUnsupportedError(ServerError):
    """An Idempotency-Key for a route whose answer holds a secret, which is not kept."""

    def __init__(self) -> None:
        super().__init__("The answer holds a secret that is shown once, so it cannot be repeated; send no key.")


class TooManyStreamsError(ServerError):
    """The caller has as many event streams as one may at once."""

    def __init__(self, streams_max: int) -> None:
        super().__init__(f"You may follow {streams_max} runs at once; close a stream first.")
        self.streams_max = streams_max


class InvalidInputsError(_ListedError):
    """Inputs that do not fit the agent's contract. Nothing was held. Each of `errors` has `path` and `message`."""


class PreconditionRequiredError(ServerError):
    """The route changes what others may change too, and wants If-Match."""

    def __init__(self) -> None:
        super().__init__("Send `If-Match` with the ETag of the agent as you saw it, or `*` for whatever it is now.")


class CodeRejectedError(_ListedError):
    """The policy refuses the code. Each of `errors` has `line`, `column`, `construct` and `message`."""


class GenerationUnavailableError(ServerError):
    """No model is set up, or the provider refuses what the operator set up."""


class ModelUnavailableError(ServerError):
    """The model provider is busy or cannot be reached, also after trying again."""

    def __init__(self) -> None:
        super().__init__("The model provider is busy or cannot be reached; tokens used until then were charged.")


class GenerationEndedError(ServerError):
    """A generation ended without an agent. Nothing was created or changed.

    Attributes:
        generation_id: under which its attempts are kept.
        charge_microcredits: for the tokens used, None where the database did not answer in time to settle it.
    """

    def __init__(self, detail: str, generation_id: UUID, charge_microcredits: int | None) -> None:
        super().__init__(detail)
        self.generation_id = str(generation_id)
        self.charge_microcredits = charge_microcredits


class GenerationFailedError(GenerationEndedError):
    """No attempt passed. `attempts` has the code of each, and what was found wrong with it."""

    def __init__(self, generation_id: UUID, charge_microcredits: int | None, attempts: Sequence[JsonObject]) -> None:
        super().__init__(
            "No attempt passed its checks and examples. `attempts` has the code of each and what was wrong; they stay "
            f"at /generations/{generation_id}. Mend one and create the agent from `code`, or describe it more exactly.",
            generation_id,
            charge_microcredits,
        )
        self.attempts = attempts


class GenerationRefusedError(GenerationEndedError):
    """The model refused the task. `category` is the provider's word for why, None where it gives none."""

    def __init__(self, generation_id: UUID, charge_microcredits: int | None, category: str | None) -> None:
        super().__init__("The model refused to write this agent.", generation_id, charge_microcredits)
        self.category = category


class UserBusyError(ServerError):
    """The caller has too many runs at once. Nothing was held."""

    def __init__(self, live_max: int, *, dry: bool) -> None:
        kind = "dry runs" if dry else "live runs"
        super().__init__(f"You may have {live_max} {kind} at once; wait for one to end.")
        self.live_max = live_max
        self.dry = dry


class UserBytesError(ServerError):
    """The bodies of the caller's requests that go on have too many bytes together. Nothing was held."""

    def __init__(self, bytes_max: int) -> None:
        super().__init__(f"The bodies of your requests may have {bytes_max} bytes together; wait for one to end.")
        self.bytes_max = bytes_max


class ServerBusyError(ServerError):
    """No place came free in time, or too many calls wait already. Nothing was held."""

    def __init__(self) -> None:
        super().__init__("Every place of this server is taken; nothing was held, try again shortly.")


class ShuttingDownError(ServerError):
    """This process admits nothing more. Nothing was held."""

    def __init__(self) -> None:
        super().__init__("This server process is stopping; nothing was held, try again.")


class UnknownMemoryError(ServerError):
    """The agent remembers nothing under this key."""

    def __init__(self) -> None:
        super().__init__("The agent remembers nothing under this key.")


class SecretsUnavailableError(ServerError):
    """The operator set no keys that seal secrets. Nothing was kept."""

    def __init__(self) -> None:
        super().__init__("This server keeps no secrets: its operator has to set GLOVEBOX_SECRETS_KEYS.")


class NotApplicableError(ServerError):
    """A run that is no dry run, or one that cannot be carried out. Nothing was held."""


class NotReplayableError(ServerError):
    """A run that cannot be run again from its record. Nothing ran."""


class RunLostError(ServerError):
    """A run that began did not end through any fault of its program. It is not charged.

    Attributes:
        run_id: the run.
    """

    def __init__(
        self, run_id: UUID, detail: str = "The run was lost through a fault of ours; it costs nothing."
    ) -> None:
        super().__init__(detail)
        self.run_id = run_id


class RunNotStartedError(RunLostError):
    """Every sandbox was busy after all. Nothing ran and nothing was charged."""

    def __init__(
        self,
        run_id: UUID,
        detail: str = "Every sandbox was busy; nothing ran and nothing was charged, try again shortly.",
    ) -> None:
        super().__init__(run_id, detail)


class TierGoneError(RunNotStartedError):
    """The tier went away when the run had begun and no sandbox had taken it. Nothing ran and nothing was charged."""

    def __init__(self, run_id: UUID) -> None:
        super().__init__(run_id, "The tier went away; nothing ran and nothing was charged, try again later.")


class NotReadyError(ServerError):
    """A dependency of this process does not answer.

    Attributes:
        checks: what was asked and what it answered, `ok` or one word of what is wrong.
    """

    def __init__(self, checks: Mapping[str, str]) -> None:
        super().__init__("This server process cannot serve yet, or any more.")
        self.checks = dict(checks)


@dataclass(frozen=True, slots=True)
class Problem:
    """How one class of errors is answered.

    Attributes:
        status: HTTP status.
        code: what clients match; stable.
        title: one short sentence, the same for every occurrence.
        detail: what happened and what to do; may name members in braces; None takes the error's own `detail`.
        members: attributes of the error that the document carries under their own names.
        retry_after_s: seconds of the Retry-After header; None sends none, unless the error has its own.
    """

    status: int
    code: str
    title: str
    detail: str | None = None
    members: tuple[str, ...] = ()
    retry_after_s: int | None = None


_TRY_AGAIN = "Nothing was changed; try again shortly."
_MISCONFIGURED = "The operator finds the reason in the server's log and by `glovebox doctor`."
INTERNAL = Problem(500, "internal", "A defect of ours", "It was logged under this request's id; tell the operator.")

PROBLEMS: Mapping[type[Exception], Problem] = {
    ServerError: INTERNAL,
    ForeignPathError: Problem(403, "forbidden", "Not yours"),
    NoSuchRouteError: Problem(404, "no_such_route", "No such path"),
    MethodNotAllowedError: Problem(405, "method_not_allowed", "Method not allowed"),
    PrefetchRefusedError: Problem(400, "prefetch_refused", "Prefetching is refused"),
    BodyTooLargeError: Problem(413, "body_too_large", "Body too large", members=("body_bytes_max",)),
    BodyTooSlowError: Problem(408, "body_too_slow", "Body too slow", members=("body_ms_max",)),
    QueryTooLongError: Problem(414, "query_too_long", "Query too long", members=("query_bytes_max",)),
    BodyEncodedError: Problem(415, "unsupported_encoding", "Encoded bodies are not read"),
    PathTooLongError: Problem(414, "path_too_long", "Path too long", members=("path_bytes_max",)),
    HeadersTooLargeError: Problem(
        431, "headers_too_large", "Headers too large", members=("header_bytes_max", "header_fields_max")
    ),
    _ListedError: INTERNAL,
    InvalidRequestError: Problem(422, "invalid_request", "The request cannot be read", members=("errors",)),
    InvalidCursorError: Problem(422, "invalid_cursor", "Unknown cursor"),
    InvalidKeyError: Problem(400, "invalid_idempotency_key", "The Idempotency-Key is none"),
    KeyUnsupportedError: Problem(400, "idempotency_unsupported", "This answer is not kept"),
    TooManyStreamsError: Problem(
        429, "too_many_streams", "Too many streams at once", members=("streams_max",), retry_after_s=1
    ),
    InvalidInputsError: Problem(422, "invalid_inputs", "Inputs do not fit the agent", members=("errors",)),
    PreconditionRequiredError: Problem(428, "precondition_required", "If-Match is wanted"),
    CodeRejectedError: Problem(422, "code_rejected", "The policy refuses this code", members=("errors",)),
    GenerationUnavailableError: Problem(
        503, "generation_unavailable", "Agents cannot be generated here", retry_after_s=60
    ),
    ModelUnavailableError: Problem(503, "model_unavailable", "The model does not answer", retry_after_s=10),
    GenerationEndedError: INTERNAL,
    GenerationFailedError: Problem(
        422,
        "generation_failed",
        "No attempt passed",
        members=("generation_id", "charge_microcredits", "attempts"),
    ),
    GenerationRefusedError: Problem(
        422,
        "generation_refused",
        "The model refused",
        members=("generation_id", "charge_microcredits", "category"),
    ),
    UserBusyError: Problem(429, "too_many_runs", "Too many runs at once", members=("live_max",), retry_after_s=1),
    UserBytesError: Problem(429, "too_many_bytes", "Too many bytes at once", members=("bytes_max",), retry_after_s=1),
    ServerBusyError: Problem(503, "server_busy", "The server is busy", retry_after_s=1),
    ShuttingDownError: Problem(503, "shutting_down", "The server is stopping", retry_after_s=5),
    UnknownMemoryError: Problem(404, "unknown_memory", "Nothing is remembered"),
    SecretsUnavailableError: Problem(503, "secrets_unavailable", "No secrets are kept here", retry_after_s=60),
    NotApplicableError: Problem(409, "not_applicable", "This run cannot be applied"),
    NotReplayableError: Problem(409, "not_replayable", "This run cannot be replayed"),
    RunLostError: Problem(503, "lost", "The run was lost", retry_after_s=1),
    RunNotStartedError: Problem(503, "sandbox_busy", "Every sandbox is busy", retry_after_s=1),
    TierGoneError: Problem(503, "tier_unavailable", "This tier is unavailable here", retry_after_s=60),
    NotReadyError: Problem(503, "not_ready", "Not ready", members=("checks",), retry_after_s=5),
    auth.AuthError: INTERNAL,
    auth.UnauthenticatedError: Problem(
        401,
        "unauthenticated",
        "No valid token",
        "Send `Authorization: Bearer <token>` with a token that has not expired.",
    ),
    auth.TokenRequiredError: Problem(
        403,
        "token_required",
        "An API key cannot do this",
        "Send a token of your identity provider: API keys neither make nor revoke keys, nor erase an account.",
    ),
    auth.IssuerUnavailableError: Problem(
        503, "issuer_unavailable", "Tokens cannot be checked now", _TRY_AGAIN, retry_after_s=5
    ),
    auth.KeysRefusedError: INTERNAL,
    auth.AuthMisconfiguredError: Problem(500, "misconfigured", "The server is misconfigured", _MISCONFIGURED),
    store.StoreError: INTERNAL,
    store.AgentExistsError: Problem(
        409,
        "agent_exists",
        "The name is taken",
        "You have an agent named {agent_name}; delete it first, or choose another name.",
        ("agent_name",),
    ),
    store.UnknownAgentError: Problem(404, "unknown_agent", "No such agent", "You have no agent of this name."),
    store.UnknownVersionError: Problem(
        404, "unknown_version", "No such version", "The agent has no version of this number."
    ),
    store.RevisionMovedError: Problem(
        412,
        "precondition_failed",
        "The agent changed meanwhile",
        "It is not what `If-Match` names any more; nothing was changed. Get it again and decide anew.",
    ),
    store.RunsLiveError: Problem(
        409,
        "runs_live",
        "Runs are live",
        "Nothing was erased: wait until your runs have ended, or cancel them, and try again.",
    ),
    store.UnknownRunError: Problem(404, "unknown_run", "No such run", "You have no run of this id."),
    store.VersionMovedError: Problem(
        409, "version_moved", "The agent changed meanwhile", "Nothing was held; call again.", retry_after_s=1
    ),
    store.InsufficientCreditsError: Problem(
        402,
        "insufficient_credits",
        "Not enough credits",
        "The run may cost up to {needed_microcredits} microcredits, {available_microcredits} are available. "
        "Nothing was held. Lower the agent's limits, or ask the operator for credits.",
        ("needed_microcredits", "available_microcredits"),
    ),
    store.GenerationUnaffordableError: Problem(
        402,
        "insufficient_credits",
        "Not enough credits",
        "The generation may cost up to {needed_microcredits} microcredits, {available_microcredits} are available. "
        "Nothing was held. Describe it more briefly, or ask the operator for credits.",
        ("needed_microcredits", "available_microcredits"),
    ),
    store.UnknownGenerationError: Problem(
        404, "unknown_generation", "No such generation", "You have no generation of this id."
    ),
    store.UnknownEngineError: Problem(
        503,
        "generation_unavailable",
        "Agents cannot be generated here",
        "The operator has to name a model in the tables `prompts` and `models`.",
        retry_after_s=60,
    ),
    store.StaleGenerationError: INTERNAL,
    store.TooManyDryRunsError: Problem(
        429,
        "too_many_dry_runs",
        "Too many dry runs this hour",
        "Your dry runs of this hour are spent; `Retry-After` says when the next hour begins. Live runs go on.",
        retry_after_s=3600,
    ),
    store.UnknownApiKeyError: Problem(404, "unknown_api_key", "No such API key", "You have no API key of this id."),
    store.TooManyApiKeysError: Problem(
        409,
        "too_many_api_keys",
        "Too many API keys",
        "You have {live_max} live API keys, which is the most; revoke one first.",
        ("live_max",),
    ),
    store.RunFinishedError: Problem(
        409, "run_finished", "The run has ended", "The run is {state}; there is nothing left to cancel.", ("state",)
    ),
    store.EffectClaimedError: INTERNAL,
    store.MemoryMovedError: Problem(
        409,
        "not_applicable",
        "This run cannot be applied",
        "What the dry run read from memory has changed since; run it dry again.",
    ),
    store.ApplyLiveError: Problem(
        409, "apply_live", "It is being applied", "Another apply of this run goes on; wait for it.", retry_after_s=1
    ),
    store.MemoryFullError: Problem(
        409, "memory_full", "The agent's memory is full", "{detail}; delete what is not needed.", ("detail",)
    ),
    store.SearchUnavailableError: INTERNAL,
    store.UnknownSecretError: Problem(404, "unknown_secret", "No such secret", "The agent has no secret of this name."),
    store.TooManySecretsError: Problem(
        409,
        "too_many_secrets",
        "Too many secrets",
        "The agent has {secrets_max} secrets, which is the most; delete one first.",
        ("secrets_max",),
    ),
    store.UnknownFileError: Problem(404, "unknown_file", "No such file", "The run has no file of this name."),
    store.TooManyFilesError: INTERNAL,
    store.KeyInFlightError: Problem(
        409,
        "idempotency_in_flight",
        "The first request is being carried out",
        "A request with this Idempotency-Key is being carried out; ask again for its answer.",
        retry_after_s=1,
    ),
    store.KeyMismatchError: Problem(
        422,
        "idempotency_mismatch",
        "The key is another request's",
        "This Idempotency-Key was sent with another method, path, query or body; a new request needs a new key.",
    ),
    store.StaleRunError: Problem(503, "lost", "The run was lost", "It was ended by another process.", retry_after_s=1),
    store.TokenRefusedError: Problem(
        401,
        "token_refused",
        "The project refuses the token",
        "The Supabase project does not take this token any more; sign in again.",
    ),
    store.TokenNeededError: Problem(
        401,
        "api_keys_unavailable",
        "API keys cannot act here",
        "Use a token of the project: this server can act for an API key only where SUPABASE_JWT_SECRET or DATABASE_URL "
        "is set.",
    ),
    store.StoreUnavailableError: Problem(
        503, "store_unavailable", "The database does not answer", _TRY_AGAIN, retry_after_s=2
    ),
    store.StoreMisconfiguredError: Problem(500, "misconfigured", "The server is misconfigured", _MISCONFIGURED),
    store.SchemaMismatchError: Problem(500, "misconfigured", "The server is misconfigured", _MISCONFIGURED),
    sandbox.SandboxError: INTERNAL,
    sandbox.TierUnavailableError: Problem(
        503,
        "tier_unavailable",
        "This tier is unavailable here",
        "This machine cannot build the wall of tier {tier}; `glovebox doctor` says why.",
        ("tier",),
        retry_after_s=60,
    ),
    sandbox.ImageUnfitError: Problem(
        503,
        "tier_unavailable",
        "This tier is unavailable here",
        "The server has no image for tier {tier}; `glovebox doctor` says why.",
        ("tier",),
        retry_after_s=60,
    ),
    sandbox.ImageBuildError: INTERNAL,
    sandbox.RejectedEverywhereError: INTERNAL,
    sandbox.SandboxBusyError: Problem(503, "sandbox_busy", "Every sandbox is busy", _TRY_AGAIN, retry_after_s=1),
    sandbox.SandboxLostError: Problem(503, "lost", "The sandbox died", _TRY_AGAIN, retry_after_s=1),
}


def dry_run_headers(rate: DryRunRate) -> dict[str, str]:
    """What is left of a caller's dry runs, for answers to dry runs.

    Source: draft-ietf-httpapi-ratelimit-headers-11, sections 3 and 4.
    """
    return {
        "RateLimit-Policy": f'"dry-runs";q={rate.per_hour_max};w=3600',
        "RateLimit": f'"dry-runs";r={rate.remaining};t={math.ceil(rate.reset_ms / 1000)}',
    }


def rate_headers_of(error: Exception) -> dict[str, str]:
    """Which of the caller's own bounds an error is about, in the same two headers; none where it is not one."""
    if isinstance(error, store.TooManyDryRunsError):
        return dry_run_headers(error.rate)
    if isinstance(error, UserBusyError):
        name = "dry-runs-at-once" if error.dry else "live-runs-at-once"
        quota, unit = error.live_max, "concurrent-requests"
    elif isinstance(error, UserBytesError):
        name, quota, unit = "bytes-at-once", error.bytes_max, "content-bytes"
    else:
        return {}
    return {"RateLimit-Policy": f'"{name}";q={quota};qu="{unit}"', "RateLimit": f'"{name}";r=0;t=1'}


def _retry_after_s(error: Exception, problem: Problem) -> int | None:
    if isinstance(error, store.TooManyDryRunsError):
        return max(1, math.ceil(error.rate.reset_ms / 1000))
    found: int | None = getattr(error, "retry_after_s", problem.retry_after_s)
    return found


def problem_of(error: Exception) -> Problem:
    """How an error is answered: by its own class, else by the nearest mapped one, else as a defect of ours."""
    for cls in type(error).__mro__:
        if (problem := PROBLEMS.get(cls)) is not None:
            return problem
    return INTERNAL


def document(status: int, code: str, title: str, detail: str, request_id: UUID, members: JsonObject) -> dict[str, Any]:
    """One problem document: `type`, `title`, `status`, `detail`, `instance`, `code`, then its own members.

    Source: RFC 9457, section 3.
    """
    return {
        "type": f"urn:glovebox:problem:{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "instance": f"urn:uuid:{request_id}",
        "code": code,
        **members,
    }


def describe(error: Exception, request_id: UUID) -> tuple[int, dict[str, Any], dict[str, str]]:
    """Status, problem document and headers for an error of any package; nothing else of it is ever sent."""
    problem = problem_of(error)
    members: dict[str, Any] = {name: getattr(error, name) for name in problem.members}
    headers: dict[str, str] = {}
    retry_after_s = _retry_after_s(error, problem)
    if retry_after_s is not None:
        headers["Retry-After"] = str(retry_after_s)
    headers.update(rate_headers_of(error))
    if problem.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="glovebox"'
    if isinstance(error, MethodNotAllowedError):
        headers["Allow"] = error.allow
    if isinstance(error, RunLostError):
        headers["Glovebox-Run-Id"] = str(error.run_id)
    if problem.detail is not None:
        detail = problem.detail.format_map(members)
    else:
        detail = error.detail if isinstance(error, ServerError) else problem.title
    return problem.status, document(problem.status, problem.code, problem.title, detail, request_id, members), headers
