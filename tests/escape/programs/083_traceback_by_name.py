"""The traceback, named at run time.

Technique: pyjail class "__traceback__.tb_frame"; n8n CVE-2026-0863.
expect: failed
control: escapes
"""


def run(inputs):
    try:
        1 / 0
    except ZeroDivisionError as error:
        found = getattr(error, "__trace" + "back__")
    return {"escaped": repr(found)[:40] if "traceback object" in repr(found) else None}
