"""Keep bank accounts with a private balance and apply transfers that may fail."""


class InsufficientFunds(Exception):
    def __init__(self, account, needed, available):
        super().__init__(f"{account}: needs {needed}, has {available}")
        self.account = account
        self.needed = needed
        self.available = available


class Account:
    interest_rate = 0.02

    def __init__(self, owner, balance=0):
        self.owner = owner
        self.__balance = balance
        self._history = []

    @property
    def balance(self):
        return self.__balance

    def deposit(self, amount):
        if amount <= 0:
            raise ValueError("Deposit must be positive")
        self.__balance += amount
        self._history.append(("deposit", amount))

    def withdraw(self, amount):
        if amount > self.__balance:
            raise InsufficientFunds(self.owner, amount, self.__balance)
        self.__balance -= amount
        self._history.append(("withdraw", amount))

    @property
    def history(self):
        return [{"kind": kind, "amount": amount} for kind, amount in self._history]

    def __repr__(self):
        return f"{self.__class__.__name__}({self.owner!r}, {self.__balance})"


class SavingsAccount(Account):
    def __init__(self, owner, balance=0, rate=None):
        super().__init__(owner, balance)
        self._rate = rate if rate is not None else self.interest_rate

    def add_interest(self):
        self.deposit(round(self.balance * self._rate))


def run(inputs):
    accounts = {
        "checking": Account("Ada", inputs["checking"]),
        "savings": SavingsAccount("Ada", inputs["savings"], rate=0.1),
    }
    errors = []
    for move in inputs["transfers"]:
        source, target = accounts[move["from"]], accounts[move["to"]]
        try:
            source.withdraw(move["amount"])
        except InsufficientFunds as exc:
            errors.append({"account": exc.account, "short_by": exc.needed - exc.available})
        else:
            target.deposit(move["amount"])
    accounts["savings"].add_interest()
    return {
        "accounts": [repr(a) for a in accounts.values()],
        "history": accounts["savings"].history,
        "errors": errors,
    }

# inputs: {"checking": 500, "savings": 100, "transfers": [{"from": "checking", "to": "savings", "amount": 200}, {"from": "savings", "to": "checking", "amount": 1000}, {"from": "checking", "to": "savings", "amount": 50}]}
# expect: {"accounts": ["Account('Ada', 250)", "SavingsAccount('Ada', 385)"], "history": [{"kind": "deposit", "amount": 200}, {"kind": "deposit", "amount": 50}, {"kind": "deposit", "amount": 35}], "errors": [{"account": "Ada", "short_by": 700}]}
