"""An abstract base claims types of the library; guards must ask for exact types.

Technique: ABC register() as a lie about types.
expect: contained
control: escapes
"""

from abc import ABC
import json


class Claims(ABC):
    pass


Claims.register(type(json))


def run(inputs):
    return {"escaped": "the module's real type was registered" if isinstance(json, Claims) else None}
