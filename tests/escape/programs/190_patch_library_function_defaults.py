"""The defaults of a library function are replaced.

Technique: pyjail class "__defaults__ / __kwdefaults__ poisoning".
expect: failed
control: escapes
"""

import colorsys


def run(inputs):
    setattr(colorsys.rgb_to_hsv, "__defaults__", (0, 0, 0))
    return {"escaped": "rgb_to_hsv() gives " + str(colorsys.rgb_to_hsv())}
