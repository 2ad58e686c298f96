"""A format field that fails, and the object that the error keeps.

Technique: n8n CVE-2026-0863 (format string and AttributeError.obj).
expect: failed
control: escapes
"""


def run(inputs):
    try:
        "{0.__globals__.missing}".format(run)
    except AttributeError as error:
        found = error.obj
    return {"escaped": "globals with " + str(len(found))}
