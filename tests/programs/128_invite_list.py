"""Clean a pasted list of guests and seat them at tables without splitting couples."""

import re


def parse_guests(text):
    guests = []
    for line in text.strip().split("\n"):
        line = line.strip(" -*\t")
        if not line or line.lower().startswith("cc:"):
            continue
        name, _, note = line.partition("(")
        names = [" ".join(p.split()).title() for p in re.split(r"\s*(?:&|\+| and )\s*", name.strip())]
        guests.append({"names": names, "note": note.rstrip(") ").lower() or None})
    return guests


def seat(groups, size):
    tables = []
    for group in sorted(groups, key=lambda g: (-len(g["names"]), g["names"])):
        need = len(group["names"])
        for table in tables:
            if sum(len(g["names"]) for g in table) + need <= size:
                table.append(group)
                break
        else:
            tables.append([group])
    return tables


def run(inputs):
    groups = parse_guests(inputs["text"])
    seen, unique, repeated = set(), [], []
    for group in groups:
        key = frozenset(group["names"])
        if key & seen:
            repeated.extend(sorted(key & seen))
            continue
        seen |= key
        unique.append(group)
    tables = seat(unique, inputs["table_size"])
    del groups
    return {
        "tables": [[n for g in table for n in g["names"]] for table in tables],
        "repeated": repeated,
        "notes": {g["names"][0]: g["note"] for g in unique if g["note"]},
        "people": len(seen),
        "initials": sorted("".join(part[0] for part in name.split()) for name in seen),
    }

# inputs: {"table_size": 4, "text": "- ann lee & bob lee (Vegetarian)\n* carl  MAY\n\ndora and ed and flo nash\ncc: host\n Gus\n- Ann Lee\nhal + ida (no nuts)\n"}
# expect: {"tables": [["Dora", "Ed", "Flo Nash", "Carl May"], ["Ann Lee", "Bob Lee", "Hal", "Ida"], ["Gus"]], "repeated": ["Ann Lee"], "notes": {"Ann Lee": "vegetarian", "Hal": "no nuts"}, "people": 9, "initials": ["AL", "BL", "CM", "D", "E", "FN", "G", "H", "I"]}
