"""Find trends and alerts in daily prices: moving averages, drawdown and streaks."""

import itertools as it
import statistics as stats
from datetime import date as Date
from datetime import timedelta as Delta


def moving_average(prices, n):
    return [None] * (n - 1) + [round(sum(prices[i - n + 1:i + 1]) / n, 2) for i in range(n - 1, len(prices))]


def crossings(prices, average):
    above = None
    for day, (price, mean) in enumerate(zip(prices, average)):
        if mean is None:
            continue
        now = price > mean
        if above is not None and now != above:
            yield day, "buy" if now else "sell"
        above = now


def drawdown(prices):
    peak = worst = 0.0
    for price in prices:
        peak = max(peak, price)
        worst = max(worst, (peak - price) / peak)
    return worst


def streaks(prices):
    moves = ["up" if b > a else "down" if b < a else "flat" for a, b in it.pairwise(prices)]
    return [(kind, len(list(group))) for kind, group in it.groupby(moves)]


def run(inputs):
    start = Date.fromisoformat(inputs["start"])
    prices = inputs["prices"]
    average = moving_average(prices, inputs["window"])
    returns = [b / a - 1 for a, b in zip(prices, prices[1:])]
    threshold = 2 * stats.pstdev(returns)
    jumps = [i + 1 for i, r in enumerate(returns) if abs(r) > threshold]

    def day(n):
        return (start + Delta(days=n)).isoformat()

    longest = max(streaks(prices), key=lambda s: s[1])
    return {
        "average": average,
        "signals": [f"{day(n)} {signal}" for n, signal in crossings(prices, average)],
        "drawdown": f"{drawdown(prices):.1%}",
        "jumps": [day(n) for n in jumps],
        "streak": "{0[1]} days {0[0]}".format(longest),
        "value": next(it.accumulate(returns, lambda v, r: v * (1 + r), initial=100)),
        "final": round(list(it.accumulate(returns, lambda v, r: v * (1 + r), initial=100))[-1], 2),
        "best_weeks": [max(chunk) for chunk in (prices[i:i + 5] for i in range(0, len(prices), 5))],
    }

# inputs: {"start": "2024-02-26", "window": 3, "prices": [100, 102, 101, 105, 107, 104, 99, 98, 98, 103, 125, 124]}
# expect: {"average": [null, null, 101.0, 102.67, 104.33, 105.33, 103.33, 100.33, 98.33, 99.67, 108.67, 117.33], "signals": ["2024-02-29 buy", "2024-03-02 sell", "2024-03-06 buy"], "drawdown": "8.4%", "jumps": ["2024-03-07"], "streak": "3 days down", "value": 100, "final": 124.0, "best_weeks": [107, 104, 125]}
