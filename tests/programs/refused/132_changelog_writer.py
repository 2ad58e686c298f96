"""Turn commit messages into a changelog grouped by type, and suggest the next version."""

import re
from collections import OrderedDict
from textwrap import dedent, fill

HEADINGS = OrderedDict(feat="Added", fix="Fixed", perf="Faster", docs="Documentation")
COMMIT = re.compile(r"^(?P<type>[a-z]+)(?:\((?P<scope>[^)]+)\))?(?P<bang>!)?: (?P<subject>.+)$")

TEMPLATE = dedent(
    """\
    ## {version}

    {body}
    """
)


class Commit(object):
    """One parsed commit message."""

    def __init__(self, message):
        header, _, self.body = message.partition("\n")
        m = COMMIT.match(header)
        if m is None:
            raise ValueError("not a conventional commit: %s" % header)
        self.kind, self.scope, self.subject = m.group("type", "scope", "subject")
        self.breaking = bool(m["bang"]) or "BREAKING" in self.body
        self.issues = [int(n) for n in re.findall(r"#(\d+)", message)]

    def __str__(self):
        scope = "**%s:** " % self.scope if self.scope else ""
        issues = " ({})".format(", ".join("#%d" % n for n in self.issues)) if self.issues else ""
        subject = re.sub(r"\s*\(?#\d+(?:, #\d+)*\)?", "", self.subject)
        return scope + subject[0].upper() + subject[1:] + issues


def next_version(version, commits):
    major, minor, patch = (int(p) for p in version.split("."))
    if any(c.breaking for c in commits):
        return f"{major + 1}.0.0"
    if any(c.kind == "feat" for c in commits):
        return f"{major}.{minor + 1}.0"
    return f"{major}.{minor}.{patch + bool(commits)}"


def run(inputs):
    commits, ignored = [], []
    for message in inputs["commits"]:
        try:
            commits.append(Commit(message))
        except ValueError as error:
            ignored.append(str(error))
    sections = []
    for kind, heading in HEADINGS.items():
        chosen = [c for c in commits if c.kind == kind]
        if not chosen:
            continue
        entries = [fill(str(c), width=60, initial_indent="- ", subsequent_indent="  ") for c in chosen]
        sections.append("\n".join(["### " + heading, *entries]))
    text = TEMPLATE.format(version=next_version(inputs["version"], commits), body="\n\n".join(sections))
    return {"text": text.splitlines(), "ignored": ignored, "breaking": [c.subject for c in commits if c.breaking],
            "patch": next_version("1.2.3", [c for c in commits if c.kind == "docs"]), "fields": sorted(vars(commits[0]))}

# inputs: {"version": "1.4.2", "commits": ["feat(api): list runs by state #12", "fix: refuse a repeated parameter that used to be silently taken as the last one (#7, #9)", "docs: explain limits", "merge branch main", "fix(cli)!: exit 2 on bad usage", "chore: tidy\n\nBREAKING nothing"]}
# expect: {"text": ["## 2.0.0", "", "### Added", "- **api:** List runs by state (#12)", "", "### Fixed", "- Refuse a repeated parameter that used to be silently taken", "  as the last one (#7, #9)", "- **cli:** Exit 2 on bad usage", "", "### Documentation", "- Explain limits"], "ignored": ["not a conventional commit: merge branch main"], "breaking": ["exit 2 on bad usage", "tidy"], "patch": "1.2.4", "fields": ["body", "breaking", "issues", "kind", "scope", "subject"]}
