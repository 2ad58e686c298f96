"""`list[int]` hands attribute reads on to `list`.

Technique: pyjail class "mro walk"; CPython bpo-45167 (what types.GenericAlias forwards).
expect: contained
control: escapes
"""


def run(inputs):
    try:
        bases = list[int].mro()
    except AttributeError:
        return {"escaped": None}
    return {"escaped": "bases " + str(bases)}
