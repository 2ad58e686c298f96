"""Empty files until there is no room for another.

expect: disk_full
"""

def run(inputs):
    number = 0
    while True:
        open(f"/tmp/{number}", "w").close()
        number += 1
