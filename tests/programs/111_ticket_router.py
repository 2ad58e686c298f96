"""Route support tickets by a rule table with priorities, business hours and an audit log."""

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Callable, Optional


@dataclass
class Ticket:
    id: int
    subject: str
    body: str = ""
    plan: str = "free"
    opened: datetime = datetime.min
    labels: set = field(default_factory=set)
    queue: Optional[str] = None
    due: Optional[datetime] = None

RuleFn = Callable[[Ticket], bool]


def mentions(pattern: str) -> RuleFn:
    compiled = re.compile(rf"\b(?:{pattern})\b", re.I)
    return lambda t: compiled.search(f"{t.subject}\n{t.body}") is not None


def any_of(*rules: RuleFn) -> RuleFn:
    return lambda t: any(r(t) for r in rules)


def on_plan(*plans: str) -> RuleFn:
    return lambda t: t.plan in plans


TABLE = [  # condition, queue, label, hours to answer
    (mentions(r"hack\w*|breach|leak"), "security", "urgent", 1),
    (any_of(mentions("refund|invoice|charged twice"), on_plan("trial")), "billing", "money", 24),
    (mentions(r"error \d{3}|crash(?:es|ed)?|down"), "technical", "incident", 8),
    (lambda t: len(t.body) > 80, "technical", "long", 16),
]


def office_hours(start: datetime, hours: int) -> datetime:
    moment = start
    left = timedelta(hours=hours)
    while True:
        opens, closes = moment.replace(hour=9, minute=0), moment.replace(hour=17, minute=0)
        if moment.weekday() < 5 and moment < closes:
            moment = max(moment, opens)
            if left <= closes - moment:
                return moment + left
            left -= closes - moment
        moment = opens + timedelta(days=1)


def route(ticket: Ticket) -> Ticket:
    hours = 40
    for condition, queue, label, allowed in TABLE:
        if condition(ticket):
            ticket.queue = ticket.queue or queue
            ticket.labels |= {label}
            hours = min(hours, allowed)
    ticket.queue = ticket.queue or "general"
    ticket.due = office_hours(ticket.opened, hours // 2 if ticket.plan == "pro" else hours)
    return ticket


def run(inputs, ctx):
    opened = datetime.fromisoformat(inputs["opened"])
    routed = []
    for number, raw in enumerate(inputs["tickets"], start=1):
        ticket = route(Ticket(number, opened=opened, **raw))
        ctx.log(f"ticket {ticket.id} -> {ticket.queue}", labels=sorted(ticket.labels), dry=ctx.test)
        routed.append(f"#{ticket.id} {ticket.queue} [{','.join(sorted(ticket.labels))}] by {ticket.due:%a %H:%M}")
    return {"routed": routed}

# inputs: {"opened": "2024-03-01T15:30:00", "tickets": [{"subject": "I was charged twice", "plan": "pro"}, {"subject": "Error 502 and crashes", "body": "Also a refund please"}, {"subject": "Account hacked!"}, {"subject": "Hello", "body": "Countdown is not down"}, {"subject": "Slow", "plan": "trial"}, {"subject": "Question"}]}
# expect: {"routed": ["#1 billing [money] by Tue 11:30", "#2 billing [incident,money] by Mon 15:30", "#3 security [urgent] by Fri 16:30", "#4 technical [incident] by Mon 15:30", "#5 billing [money] by Wed 15:30", "#6 general [] by Fri 15:30"]}
