"""A library function prints to the process's own output.

Technique: output outside of the result channel.
expect: contained
control: none, it is no way out in cpython either
"""

import calendar


def run(inputs):
    try:
        calendar.TextCalendar().prmonth(2024, 1)
        calendar.TextCalendar().pryear(2024)
    except (OSError, ValueError, AttributeError):
        pass
    return {"escaped": None}
