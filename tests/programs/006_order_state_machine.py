"""Drive orders through an enum-based state machine and report illegal transitions."""

from enum import Enum, auto


class State(Enum):
    NEW = auto()
    PAID = auto()
    SHIPPED = auto()
    DELIVERED = auto()
    CANCELLED = auto()

    @property
    def is_final(self):
        return self in (State.DELIVERED, State.CANCELLED)


TRANSITIONS = {
    (State.NEW, "pay"): State.PAID,
    (State.NEW, "cancel"): State.CANCELLED,
    (State.PAID, "ship"): State.SHIPPED,
    (State.PAID, "cancel"): State.CANCELLED,
    (State.SHIPPED, "deliver"): State.DELIVERED,
}


class IllegalTransition(Exception):
    def __init__(self, state, event):
        self.state = state
        self.event = event
        super().__init__(f"cannot {event} an order that is {state.name.lower()}")


class Order:
    def __init__(self, order_id):
        self.order_id = order_id
        self._state = State.NEW
        self._trail = [self._state]

    @property
    def state(self):
        return self._state

    def handle(self, event):
        try:
            new_state = TRANSITIONS[self._state, event]
        except KeyError:
            raise IllegalTransition(self._state, event) from None
        self._state = new_state
        self._trail.append(new_state)

    def trail(self):
        return " -> ".join(s.name for s in self._trail)


def run(inputs):
    orders = {}
    errors = []
    for order_id, event in inputs["events"]:
        order = orders.setdefault(order_id, Order(order_id))
        try:
            order.handle(event)
        except IllegalTransition as err:
            errors.append({"order": order_id, "event": err.event, "error": str(err)})
    return {
        "trails": {oid: o.trail() for oid, o in orders.items()},
        "open": sorted(oid for oid, o in orders.items() if not o.state.is_final),
        "errors": errors,
        "states": [s.name for s in State],
    }

# inputs: {"events": [["A1", "pay"], ["B2", "cancel"], ["A1", "ship"], ["B2", "pay"], ["C3", "pay"], ["A1", "cancel"], ["A1", "deliver"]]}
# expect: {"trails": {"A1": "NEW -> PAID -> SHIPPED -> DELIVERED", "B2": "NEW -> CANCELLED", "C3": "NEW -> PAID"}, "open": ["C3"], "errors": [{"order": "B2", "event": "pay", "error": "cannot pay an order that is cancelled"}, {"order": "A1", "event": "cancel", "error": "cannot cancel an order that is shipped"}], "states": ["NEW", "PAID", "SHIPPED", "DELIVERED", "CANCELLED"]}
