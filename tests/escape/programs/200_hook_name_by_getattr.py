"""The names that rewritten code calls, asked for as values.

Technique: guard hooks found by name (RestrictedPython CVE-2026-55830).
expect: contained
control: none, only a rewriter has such names
"""


class Made:
    def __init__(self):
        self._x = 1
        self.__y = 2

    def __len__(self):
        return 7


def run(inputs):
    for name in ("gbx_p_x", "gbx_s__len__", "gbx_p_Made__y", "gbx_s__class__", "gbx_h_type", "gbx_t1", "gbx_annotations"):
        try:
            found = getattr(Made(), name)
        except AttributeError:
            continue
        if callable(found):
            return {"escaped": name + " gives " + repr(found)}
    return {"escaped": None}
