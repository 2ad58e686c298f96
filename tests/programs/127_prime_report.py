"""Report on prime numbers: sieve, factorisation, perfect numbers and twin primes."""


def sieve(limit):
    flags = bytearray([1]) * (limit + 1)
    flags[0:2] = b"\0\0"
    n = 2
    while n * n <= limit:
        if flags[n]:
            flags[n * n::n] = bytes(len(range(n * n, limit + 1, n)))
        n += 1
    return [i for i, flag in enumerate(flags) if flag]


def factors(n):
    """Prime factors with their exponents."""
    found = {}
    divisor = 2
    while divisor * divisor <= n:
        while n % divisor == 0:
            found[divisor] = found.get(divisor, 0) + 1
            n //= divisor
        divisor += 1 if divisor == 2 else 2
    if n > 1:
        found[n] = 1
    return found


def is_prime(n):
    if n < 2:
        return False
    for d in range(2, int(n ** 0.5) + 1):
        if n % d == 0:
            break
    else:
        return True
    return False


def collatz(n):
    steps = 0
    while n != 1:
        n = 3 * n + 1 if n & 1 else n >> 1
        steps += 1
    else:
        steps += 0
    return steps


def run():
    primes = sieve(100)
    assert primes == [n for n in range(101) if is_prime(n)], "sieve and trial division disagree"
    perfect = [n for n in range(2, 500) if sum(d for d in range(1, n // 2 + 1) if not n % d) == n]
    longest = max(range(1, 100), key=collatz)
    return {
        "count": len(primes),
        "last": primes[-3:],
        "twins": [f"{p}/{q}" for p, q in zip(primes, primes[1:]) if q - p == 2][:4],
        "factors": {str(n): " * ".join(f"{p}^{e}" if e > 1 else str(p) for p, e in factors(n).items()) for n in (360, 97, 1001, 2 ** 10)},
        "perfect": perfect,
        "collatz": [longest, collatz(longest)],
        "modular": [pow(3, 100, 7), pow(3, -1, 7), -7 % 3, -7 // 3, divmod(17, -5)],
        "bits": [bin(37), oct(37), hex(37), int("100101", 2), (37).bit_length(), ~37, 37 ^ 21, 37 << 2],
    }


if __name__ == "__main__":
    print(run())

# inputs: {}
# expect: {"count": 25, "last": [83, 89, 97], "twins": ["3/5", "5/7", "11/13", "17/19"], "factors": {"360": "2^3 * 3^2 * 5", "97": "97", "1001": "7 * 11 * 13", "1024": "2^10"}, "perfect": [6, 28, 496], "collatz": [97, 118], "modular": [4, 5, 2, -3, [-4, -3]], "bits": ["0b100101", "0o45", "0x25", 37, 6, -38, 48, 148]}
