"""Expand a loan into its payments, to the cent: the last payment absorbs what rounding left over."""

from decimal import ROUND_HALF_EVEN, Decimal

CENT = Decimal("0.01")


def cents(amount):
    return amount.quantize(CENT, rounding=ROUND_HALF_EVEN)


def annuity(principal, monthly_rate, months):
    if monthly_rate == 0:
        return cents(principal / months)
    growth = (1 + monthly_rate) ** months
    return cents(principal * monthly_rate * growth / (growth - 1))


def expand(principal, monthly_rate, months, extra):
    """One (payment, interest, repaid, balance) a month until nothing is owed."""
    regular = annuity(principal, monthly_rate, months) + extra
    balance = principal
    for month in range(1, months + 1):
        interest = cents(balance * monthly_rate)
        payment = regular
        if payment > balance + interest or month == months:
            payment = balance + interest
        balance -= payment - interest
        yield payment, interest, payment - interest, balance
        if balance == 0:
            return


def run(inputs):
    principal = cents(Decimal(inputs["principal"]))
    monthly_rate = Decimal(inputs["annual_percent"]) / 1200
    payments = list(expand(principal, monthly_rate, inputs["months"], cents(Decimal(inputs.get("extra", "0")))))
    shown = inputs.get("show", len(payments))
    return {
        "regular_payment": str(payments[0][0]),
        "months": len(payments),
        "total_paid": str(sum(payment for payment, _, _, _ in payments)),
        "total_interest": str(sum(interest for _, interest, _, _ in payments)),
        "last_payment": str(payments[-1][0]),
        "schedule": [
            {
                "month": month,
                "payment": str(payment),
                "interest": str(interest),
                "repaid": str(repaid),
                "balance": str(balance),
            }
            for month, (payment, interest, repaid, balance) in enumerate(payments[:shown], start=1)
        ],
    }
