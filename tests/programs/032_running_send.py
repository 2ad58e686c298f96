"""Coroutine-style generators: running statistics and a conversation driven by send()."""

from functools import wraps
from typing import Dict, Generator, Optional


def primed(func):
    """Advance a generator to its first yield."""

    @wraps(func)
    def start(*args, **kwargs):
        gen = func(*args, **kwargs)
        next(gen)
        return gen

    return start


@primed
def running_stats() -> Generator[Optional[Dict[str, float]], float, None]:
    count, total, low, high = 0, 0.0, float("inf"), float("-inf")
    result = None
    while True:
        value = yield result
        count += 1
        total += value
        low, high = min(low, value), max(high, value)
        result = {"n": count, "mean": round(total / count, 3), "low": low, "high": high}


@primed
def survey(questions):
    answers = {}
    try:
        reply = yield "ready"
        for name, allowed in questions:
            while True:
                reply = yield f"{name}?"
                if not allowed or reply in allowed:
                    answers[name] = reply
                    break
                reply = yield f"{reply} is not one of {'/'.join(allowed)}"
    except GeneratorExit:
        answers["aborted"] = True
        raise
    finally:
        FINISHED.append(answers)
    return answers


FINISHED = []


def run(inputs):
    stats = running_stats()
    for value in inputs["values"]:
        latest = stats.send(value)
    stats.close()

    talk = survey([("size", ["s", "m", "l"]), ("name", [])])
    said = []
    result = None
    for word in inputs["words"]:
        try:
            said.append(talk.send(word))
        except StopIteration as stop:
            result = stop.value
            break
    other = survey([("colour", [])])
    other.send(None)
    other.close()
    return {"stats": latest, "said": said, "result": result, "finished": FINISHED}

# inputs: {"values": [3, 8.5, -2, 4], "words": ["start", "xl", "again", "m", "Kim"]}
# expect: {"stats": {"n": 4, "mean": 3.375, "low": -2, "high": 8.5}, "said": ["size?", "xl is not one of s/m/l", "size?", "name?"], "result": {"size": "m", "name": "Kim"}, "finished": [{"size": "m", "name": "Kim"}, {"aborted": true}]}
