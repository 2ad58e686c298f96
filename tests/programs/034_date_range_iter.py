"""Custom iterators: a date range with a step, and a peekable iterator over it."""

from datetime import date, timedelta


class DateRange:
    """Dates from start up to, and without, stop."""

    def __init__(self, start, stop, step=1):
        if step == 0:
            raise ValueError("step must not be zero")
        self._start, self._stop, self._step = start, stop, timedelta(days=step)

    def __iter__(self):
        return DateRangeIterator(self._start, self._stop, self._step)

    def __len__(self):
        days = (self._stop - self._start) / self._step
        return max(0, -int(-days // 1))

    def __getitem__(self, index):
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        if index < 0:
            index += len(self)
        if not 0 <= index < len(self):
            raise IndexError(index)
        return self._start + index * self._step

    def __contains__(self, day):
        return self._start <= day < self._stop and (day - self._start) % self._step == timedelta(0)


class DateRangeIterator:
    def __init__(self, current, stop, step):
        self._current, self._stop, self._step = current, stop, step

    def __iter__(self):
        return self

    def __next__(self):
        if self._current >= self._stop:
            raise StopIteration
        day = self._current
        self._current += self._step
        return day


class Peekable:
    _EMPTY = object()

    def __init__(self, items):
        self._it = iter(items)
        self._next = next(self._it, self._EMPTY)

    def __bool__(self):
        return self._next is not self._EMPTY

    def peek(self):
        return self._next

    def pop(self):
        value, self._next = self._next, next(self._it, self._EMPTY)
        return value


def run(inputs):
    days = DateRange(date.fromisoformat(inputs["start"]), date.fromisoformat(inputs["stop"]), inputs["step"])
    peekable, months = Peekable(days), []
    while peekable:
        month, group = peekable.peek().strftime("%B"), []
        while peekable and peekable.peek().strftime("%B") == month:
            group.append(peekable.pop().day)
        months.append([month, group])
    return {"months": months, "count": len(days), "last": str(days[-1]), "slice": [str(d) for d in days[1:3]],
            "contains": [date(2024, 2, 9) in days, date(2024, 2, 10) in days]}

# inputs: {"start": "2024-01-26", "stop": "2024-03-10", "step": 7}
# expect: {"months": [["January", [26]], ["February", [2, 9, 16, 23]], ["March", [1, 8]]], "count": 7, "last": "2024-03-08", "slice": ["2024-02-02", "2024-02-09"], "contains": [true, false]}
