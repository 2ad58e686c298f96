"""The guest is offered to the kernel when memory runs out.

expect: out_of_memory
"""

def run(inputs):
    for name, score in (("1", "1000"), ("self", "-1000"), ("self", "0")):
        try:
            with open(f"/proc/{name}/oom_score_adj", "w") as file:
                file.write(score)
        except OSError:
            pass
    held = []
    while True:
        held.append(bytearray(b"x" * 1_000_000))
