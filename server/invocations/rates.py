"""The rate of dry runs: counted by the database in `begin`, remembered here once it is spent."""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from uuid import UUID

from agents_store.errors import TooManyDryRunsError
from agents_store.types import DryRunRate

SPENT_MAX = 10_000


class DryRunRates:
    """Users whose dry runs of this hour are spent. A user who goes on calling costs the database nothing."""

    def __init__(self, per_hour_max: int, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.per_hour_max = per_hour_max
        self._monotonic = monotonic
        self._spent: OrderedDict[UUID, tuple[DryRunRate, float]] = OrderedDict()

    @contextmanager
    def call(self, user_id: UUID, *, dry: bool) -> Iterator[None]:
        """Around one call. Raises TooManyDryRunsError at once where the rate is known to be spent."""
        if dry:
            self._refuse_spent(user_id)
        try:
            yield
        except TooManyDryRunsError as exc:
            self._spent[user_id] = (exc.rate, self._monotonic() + exc.rate.reset_ms / 1000)
            self._spent.move_to_end(user_id)
            while len(self._spent) > SPENT_MAX:
                self._spent.popitem(last=False)
            raise

    def _refuse_spent(self, user_id: UUID) -> None:
        if (entry := self._spent.get(user_id)) is None:
            return
        rate, until = entry
        left_s = until - self._monotonic()
        if left_s <= 0:
            del self._spent[user_id]
            return
        raise TooManyDryRunsError(replace(rate, remaining=0, reset_ms=int(left_s * 1000)))
