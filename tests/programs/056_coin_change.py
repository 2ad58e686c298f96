"""Count and list ways to give change, with memoised recursion."""

from functools import cache, lru_cache

CURRENCIES = {
    "euro": (200, 100, 50, 20, 10, 5, 2, 1),
    "odd": (9, 6, 1),
    "even": (10, 4),
}


def fewest(coins, amount):
    """Return the shortest list of coins, or None where the amount cannot be paid."""

    @cache
    def best(rest):
        if rest == 0:
            return ()
        options = [best(rest - c) for c in coins if c <= rest]
        found = [(c, *o) for c, o in zip((c for c in coins if c <= rest), options) if o is not None]
        return min(found, key=len, default=None)

    return best(amount)


@lru_cache(maxsize=4096)
def ways(coins, amount):
    if amount == 0:
        return 1
    if amount < 0 or not coins:
        return 0
    return ways(coins, amount - coins[0]) + ways(coins[1:], amount)


def greedy(coins, amount):
    used = {}
    for coin in coins:
        count, amount = divmod(amount, coin)
        if count:
            used[coin] = count
    return used if amount == 0 else None


def run(inputs):
    out = []
    for currency, amount in inputs["payments"]:
        coins = CURRENCIES[currency]
        exact = fewest(coins, amount)
        quick = greedy(coins, amount)
        out.append({
            "payment": f"{amount} {currency}",
            "fewest": list(exact) if exact is not None else None,
            "greedy_is_best": exact is not None and quick is not None and sum(quick.values()) == len(exact),
            "ways": ways(coins, amount),
        })
    info = ways.cache_info()
    return {"payments": out, "cached": info.currsize > 0, "hits": info.hits > 0, "maxsize": info.maxsize}

# inputs: {"payments": [["euro", 88], ["odd", 12], ["even", 7], ["even", 8], ["euro", 0]]}
# expect: {"payments": [{"payment": "88 euro", "fewest": [50, 20, 10, 5, 2, 1], "greedy_is_best": true, "ways": 2866}, {"payment": "12 odd", "fewest": [6, 6], "greedy_is_best": false, "ways": 4}, {"payment": "7 even", "fewest": null, "greedy_is_best": false, "ways": 0}, {"payment": "8 even", "fewest": [4, 4], "greedy_is_best": true, "ways": 1}, {"payment": "0 euro", "fewest": [], "greedy_is_best": true, "ways": 1}], "cached": true, "hits": true, "maxsize": 4096}
