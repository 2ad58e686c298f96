"""The function that the host lends holds what it calls.

Technique: vm2 CVE-2023-37466 (host functions lead to the host); pyjail class "closure cells".
expect: failed
control: none, without a host there is no ctx
"""


def run(inputs, ctx=None):
    cells = getattr(ctx.log, "__closure__")
    return {"escaped": repr(cells)[:60]}
