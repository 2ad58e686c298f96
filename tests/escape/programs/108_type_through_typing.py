"""The origin of `Type[int]` is the real `type`.

Technique: ReportLab CVE-2023-33733; typing.get_origin.
expect: contained
control: escapes
"""

import typing


def hook(self, name):
    return "answer to " + name


def run(inputs):
    for make in (typing.get_origin(typing.Type[int]), typing.get_origin(type[int]), type[int], typing.Type[int]):
        try:
            return {"escaped": make("Made", (), {"__getattr__": hook})().anything}
        except TypeError:
            continue
    return {"escaped": None}
