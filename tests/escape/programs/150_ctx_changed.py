"""The program tells itself that a dry run is live.

Technique: host objects must be read-only.
expect: failed
control: none, without a host there is no ctx
"""


def run(inputs, ctx=None):
    ctx.test = not ctx.test
    return {"escaped": "ctx.test was changed"}
