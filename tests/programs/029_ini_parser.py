"""Parse an INI-like configuration with sections, typed values, interpolation and errors by line."""

import re


class ConfigError(Exception):
    def __init__(self, line_number, message):
        super().__init__(f"line {line_number}: {message}")
        self.line_number = line_number


def convert(text):
    lowered = text.lower()
    if lowered in ("true", "yes", "on"):
        return True
    if lowered in ("false", "no", "off"):
        return False
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    if "," in text:
        return [convert(p.strip()) for p in text.split(",")]
    return text.strip('"')


class Config:
    def __init__(self, text):
        self.__sections = {"default": {}}
        current = "default"
        for number, line in enumerate(text.splitlines(), 1):
            line = line.split("#", 1)[0].split(";", 1)[0].strip()
            if not line:
                continue
            if header := re.fullmatch(r"\[(\w+)\]", line):
                current = header[1]
                if current in self.__sections and current != "default":
                    raise ConfigError(number, f"section {current} appears twice")
                self.__sections[current] = {}
            elif "=" in line:
                key, value = (part.strip() for part in line.split("=", 1))
                self.__sections[current][key] = convert(self.__expand(value, current, number))
            else:
                raise ConfigError(number, f"cannot read {line!r}")

    def __expand(self, value, section, number):
        def replace(match):
            name = match.group(1)
            for scope in (section, "default"):
                if name in self.__sections[scope]:
                    return str(self.__sections[scope][name])
            raise ConfigError(number, f"unknown variable {name}")

        return re.sub(r"\$\{(\w+)\}", replace, value)

    def as_dict(self):
        return {name: dict(values) for name, values in self.__sections.items()}


def run(inputs):
    results = []
    for text in inputs["files"]:
        try:
            results.append(Config(text).as_dict())
        except ConfigError as exc:
            results.append({"error": str(exc), "line": exc.line_number})
    return {"results": results}

# inputs: {"files": ["home = /srv\ndebug = off  # comment\n[server]\nport = 8080\nroot = ${home}/www\nhosts = a.org, b.org\nratio = 0.75\n; done\n[mail]\nfrom = \"Ops Team\"", "[a]\nx=1\n[a]\n", "x = ${nope}", "\njust words"]}
# expect: {"results": [{"default": {"home": "/srv", "debug": false}, "server": {"port": 8080, "root": "/srv/www", "hosts": ["a.org", "b.org"], "ratio": 0.75}, "mail": {"from": "Ops Team"}}, {"error": "line 3: section a appears twice", "line": 3}, {"error": "line 1: unknown variable nope", "line": 1}, {"error": "line 2: cannot read 'just words'", "line": 2}]}
