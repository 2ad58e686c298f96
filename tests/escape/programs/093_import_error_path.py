"""An ImportError keeps the path of the module.

Technique: error objects with host paths.
expect: failed
control: escapes
"""


def run(inputs):
    try:
        from json import missing
    except ImportError as error:
        return {"escaped": error.path}
    return {"escaped": None}
