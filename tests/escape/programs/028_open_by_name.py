"""Reading a file.

Technique: pyjail class "open('flag')".
expect: rejected
control: escapes
"""


def run(inputs):
    with open("/etc/hostname") as file:
        return {"escaped": "read " + str(len(file.read())) + " characters"}
