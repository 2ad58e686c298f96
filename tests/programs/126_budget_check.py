"""Compare spending with a monthly budget and warn about categories that run over."""

TOLERANCE = 0.05


def run(inputs, ctx):
    budget = inputs["budget"]
    spent = {}
    for entry in inputs["entries"]:
        category = entry.get("category") or "other"
        spent[category] = spent.get(category, 0) + entry["amount"]

    lines = []
    for category in sorted(set(budget) | set(spent)):
        allowed = budget.get(category, 0)
        used = spent.get(category, 0)
        if allowed == 0:
            status = "unplanned"
        elif used > allowed * (1 + TOLERANCE):
            status = "over"
        elif allowed * 0.9 <= used <= allowed * (1 + TOLERANCE):
            status = "close"
        else:
            status = "ok"
        if status in ("over", "unplanned"):
            ctx.log("budget warning", category=category, used=used, allowed=allowed)
        lines.append({"category": category, "used": round(used, 2), "left": round(allowed - used, 2), "status": status})

    total = sum(spent.values())
    print(f"Spent {total:.2f} of {sum(budget.values()):.2f}")
    if not ctx.test:
        ctx.log("budget checked", categories=len(lines))
    return {"lines": lines, "total": round(total, 2), "over": [l["category"] for l in lines if l["status"] == "over"]}

# inputs: {"budget": {"food": 400, "rent": 900, "fun": 100, "travel": 50}, "entries": [{"category": "food", "amount": 250.5}, {"category": "rent", "amount": 900}, {"category": "fun", "amount": 130.25}, {"category": "food", "amount": 30}, {"amount": 12}, {"category": "", "amount": 3.5}]}
# expect: {"lines": [{"category": "food", "used": 280.5, "left": 119.5, "status": "ok"}, {"category": "fun", "used": 130.25, "left": -30.25, "status": "over"}, {"category": "other", "used": 15.5, "left": -15.5, "status": "unplanned"}, {"category": "rent", "used": 900, "left": 0, "status": "close"}, {"category": "travel", "used": 0, "left": 50, "status": "ok"}], "total": 1326.25, "over": ["fun"]}
