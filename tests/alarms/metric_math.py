"""CloudWatch's metric math, as far as template.yaml uses it, for one data point.

A missing value makes its expression missing, except in FILL. A comparison is 1 or 0. A list of values, one for each
series, is for MAX only.
"""

import operator
import re

TOKEN = re.compile(r"\s*(\w+\(|[A-Za-z]\w*|\d+(?:\.\d+)?|==|>=|<=|[-+*/><(),])")
LEVELS = [
    {"OR": lambda a, b: a or b},
    {"AND": lambda a, b: a and b},
    {"==": operator.eq, ">": operator.gt, "<": operator.lt, ">=": operator.ge, "<=": operator.le},
    {"+": operator.add, "-": operator.sub},
    {"*": operator.mul, "/": operator.truediv},
]


def expression(text):
    """A function from a dict of values (None: missing) and the minute at which the data point begins to the value."""
    rest, position = [], 0
    while text[position:].strip():
        token = TOKEN.match(text, position)
        if not token:
            raise ValueError(f"cannot read {text[position:]!r}")
        rest.append(token[1])
        position = token.end()
    value = binary(rest, 0)
    if rest:
        raise ValueError(f"{rest[0]} is left over in {text}")
    return lambda values, minute=0: value(values | {"minute": minute})


def binary(rest, level):
    if level == len(LEVELS):
        return operand(rest)
    left = binary(rest, level + 1)
    while rest and rest[0] in LEVELS[level]:
        left = combined(LEVELS[level][rest.pop(0)], left, binary(rest, level + 1))
    return left


def combined(operate, left, right):
    def value(values):
        a, b = left(values), right(values)
        return None if a is None or b is None else float(operate(a, b))

    return value


def operand(rest):
    token = rest.pop(0)
    if token == "(":
        inner = binary(rest, 0)
        close(rest)
        return inner
    if token.endswith("("):
        return function(token[:-1], arguments(rest))
    if token[0].isdigit():
        return lambda values: float(token)
    return lambda values: values[token]


def arguments(rest):
    found = [binary(rest, 0)]
    while rest[0] == ",":
        rest.pop(0)
        found.append(binary(rest, 0))
    close(rest)
    return found


def close(rest):
    if not rest or rest.pop(0) != ")":
        raise ValueError("a parenthesis is not closed")


def function(name, given):
    if name == "MAX":
        (series,) = given
        return lambda values: max(series(values), default=None)
    if name in ("HOUR", "MINUTE"):  # of the first minute of the data point
        of_day = {"HOUR": lambda minute: minute // 60 % 24, "MINUTE": lambda minute: minute % 60}[name]
        (series,) = given
        return lambda values: None if series(values) is None else of_day(values["minute"])
    if name == "FILL":
        value, default = given
        return lambda values: default(values) if value(values) is None else value(values)
    if name == "IF":
        condition, then, *otherwise = given

        def chosen(values):
            decided = condition(values)
            if decided is None:
                return None
            if decided:
                return then(values)
            return otherwise[0](values) if otherwise else None

        return chosen
    raise ValueError(f"unknown function {name}")
