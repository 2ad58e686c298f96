"""The same where shared memory lives.

expect: disk_full
"""

def run(inputs):
    with open("/dev/shm/big", "wb") as file:
        while True:
            file.write(b"x" * 1_000_000)
