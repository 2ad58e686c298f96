"""`object.__setattr__` goes past what a class says about assignment.

Technique: frozen dataclass idiom turned against library objects.
expect: failed
control: escapes
"""

import ipaddress


def run(inputs):
    address = ipaddress.ip_address("10.0.0.1")
    object.__setattr__(address, "_ip", 1)
    return {"escaped": str(address) if str(address) == "0.0.0.1" else None}
