"""Group CSV sales by region and write a small CSV report back."""

import csv
import io
from collections import defaultdict


def read_rows(text):
    reader = csv.DictReader(io.StringIO(text))
    for number, row in enumerate(reader, start=2):
        try:
            yield {
                "region": row["region"].strip().title(),
                "product": row["product"],
                "units": int(row["units"]),
                "price": float(row["price"]),
            }
        except (TypeError, ValueError) as exc:
            yield {"error": f"line {number}: {exc}"}


def run(inputs):
    totals = defaultdict(lambda: {"units": 0, "revenue": 0.0})
    best = {}
    errors = []
    for row in read_rows(inputs["csv"]):
        if "error" in row:
            errors.append(row["error"])
            continue
        bucket = totals[row["region"]]
        bucket["units"] += row["units"]
        bucket["revenue"] += row["units"] * row["price"]
        key = row["region"]
        if key not in best or row["units"] > best[key][1]:
            best[key] = (row["product"], row["units"])

    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["region", "units", "revenue", "best"])
    for region in sorted(totals, key=lambda r: -totals[r]["revenue"]):
        t = totals[region]
        writer.writerow([region, t["units"], "%.2f" % t["revenue"], best[region][0]])
    return {"report": out.getvalue(), "errors": errors}


if __name__ == "__main__":
    print(run({"csv": "region,product,units,price\nnorth,pen,1,1.0\n"}))

# inputs: {"csv": "region,product,units,price\nnorth,pen,10,1.50\nsouth,\"ink, blue\",4,7.25\nnorth,paper,3,4.00\nsouth,pen,x,1.50\n east ,pen,2,1.5\nsouth,paper,9,3.8\n"}
# expect: {"report": "region,units,revenue,best\nSouth,13,63.20,paper\nNorth,13,27.00,pen\nEast,2,3.00,pen\n", "errors": ["line 5: invalid literal for int() with base 10: 'x'"]}
