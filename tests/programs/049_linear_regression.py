"""Fit a line by least squares, report its quality and predict with it."""

import math
import statistics


class NotFittedError(Exception):
    pass


class LinearRegression:
    def __init__(self):
        self.slope_ = None
        self.intercept_ = None

    def fit(self, xs, ys):
        if len(xs) != len(ys):
            raise ValueError(f"{len(xs)} x values for {len(ys)} y values")
        mean_x, mean_y = statistics.fmean(xs), statistics.fmean(ys)
        sxx = sum((x - mean_x) ** 2 for x in xs)
        sxy = sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys))
        if math.isclose(sxx, 0):
            raise ValueError("all x values are equal")
        self.slope_ = sxy / sxx
        self.intercept_ = mean_y - self.slope_ * mean_x
        return self

    def predict(self, xs):
        if self.slope_ is None:
            raise NotFittedError("call fit first")
        return [self.intercept_ + self.slope_ * x for x in xs]

    def score(self, xs, ys):
        predicted = self.predict(xs)
        mean_y = statistics.fmean(ys)
        residual = sum((y - p) ** 2 for y, p in zip(ys, predicted))
        total = sum((y - mean_y) ** 2 for y in ys)
        return 1 - residual / total

    def __str__(self):
        return f"y = {self.slope_:.4g}x {'+' if self.intercept_ >= 0 else '-'} {abs(self.intercept_):.4g}"


def run(inputs):
    xs, ys = zip(*inputs["points"])
    model = LinearRegression()
    messages = []
    for attempt in (lambda: model.predict([1]), lambda: model.fit([1, 1], [2, 3]), lambda: model.fit([1], [])):
        try:
            attempt()
        except (NotFittedError, ValueError) as e:
            messages.append(f"{type(e).__name__}: {e}")
    model.fit(xs, ys)
    return {
        "line": str(model),
        "r2": round(model.score(xs, ys), 4),
        "correlation": round(statistics.correlation(xs, ys), 4),
        "predictions": [round(p, 2) for p in model.predict(inputs["predict"])],
        "messages": messages,
    }

# inputs: {"points": [[1, 2.1], [2, 3.9], [3, 6.2], [4, 7.8], [5, 10.1]], "predict": [6, 10]}
# expect: {"line": "y = 1.99x + 0.05", "r2": 0.9973, "correlation": 0.9987, "predictions": [11.99, 19.95], "messages": ["NotFittedError: call fit first", "ValueError: all x values are equal", "ValueError: 1 x values for 0 y values"]}
