"""A thermostat whose properties validate what is set and convert between scales."""


class TemperatureError(ValueError):
    pass


class Thermostat:
    ABSOLUTE_ZERO = -273.15

    def __init__(self, celsius=20.0, *, minimum=5.0, maximum=30.0):
        self._minimum = minimum
        self._maximum = maximum
        self._changes = 0
        self.celsius = celsius

    @property
    def celsius(self):
        return self._celsius

    @celsius.setter
    def celsius(self, value):
        if value < self.ABSOLUTE_ZERO:
            raise TemperatureError(f"{value} is below absolute zero")
        self._celsius = min(max(value, self._minimum), self._maximum)
        self._changes += 1

    @property
    def fahrenheit(self):
        return self.celsius * 9 / 5 + 32

    @fahrenheit.setter
    def fahrenheit(self, value):
        self.celsius = (value - 32) * 5 / 9

    @property
    def changes(self):
        """How often the target was set, the first time included."""
        return self._changes

    @staticmethod
    def parse(text):
        number, unit = float(text[:-1]), text[-1].upper()
        if unit not in ("C", "F"):
            raise TemperatureError(f"unknown unit {unit!r}")
        return number, unit


def run(inputs):
    device = Thermostat(18)
    log = []
    for text in inputs["settings"]:
        try:
            number, unit = Thermostat.parse(text)
            if unit == "C":
                device.celsius = number
            else:
                device.fahrenheit = number
        except TemperatureError as e:
            log.append(f"rejected {text}: {e}")
        except ValueError:
            log.append(f"unreadable {text}")
        else:
            log.append(f"{text} -> {device.celsius:.1f}C / {device.fahrenheit:.1f}F")
    try:
        device.changes = 0
    except AttributeError:
        log.append("changes is read-only")
    return {"log": log, "changes": device.changes}

# inputs: {"settings": ["21.5C", "68F", "45C", "-300C", "12K", "warmC", "0F"]}
# expect: {"log": ["21.5C -> 21.5C / 70.7F", "68F -> 20.0C / 68.0F", "45C -> 30.0C / 86.0F", "rejected -300C: -300.0 is below absolute zero", "rejected 12K: unknown unit 'K'", "unreadable warmC", "0F -> 5.0C / 41.0F", "changes is read-only"], "changes": 5}
