"""What a log line counts for: filter patterns of metrics.

Only the operators that template.yaml uses. Any other one is an error, so that no pattern is read wrongly.
"""

import re

TOKEN = re.compile(r'\s*(\$\.\w+|"[^"]*"|\d+|&&|\|\||!=|>=|<=|=|>|<|\(|\))')
COMPARE = {
    ">=": lambda a, b: a >= b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    "<": lambda a, b: a < b,
}


def tokens(text):
    position, found = 0, []
    while text[position:].strip():
        token = TOKEN.match(text, position)
        if not token:
            raise ValueError(f"cannot read {text[position:]!r}")
        found.append(token[1])
        position = token.end()
    return found


def filter_pattern(text):
    """A function that says whether a line, a dict, matches a pattern like `{ $.outcome = "accepted" }`."""
    rest = tokens(re.fullmatch(r"\{(.*)\}", text.strip())[1])
    matches = any_of(rest)
    if rest:
        raise ValueError(f"{rest[0]} is left over in {text}")
    return matches


def any_of(rest):
    options = [all_of(rest)]
    while rest[:1] == ["||"]:
        rest.pop(0)
        options.append(all_of(rest))
    return lambda line: any(option(line) for option in options)


def all_of(rest):
    terms = [term(rest)]
    while rest[:1] == ["&&"]:
        rest.pop(0)
        terms.append(term(rest))
    return lambda line: all(one(line) for one in terms)


def term(rest):
    first = rest.pop(0)
    if first == "(":
        inner = any_of(rest)
        if rest.pop(0) != ")":
            raise ValueError("a parenthesis is not closed")
        return inner
    field, operator = first.removeprefix("$."), rest.pop(0)
    value = rest.pop(0)
    if value.endswith('*"') and operator == "=":
        return lambda line: isinstance(line.get(field), str) and line[field].startswith(value[1:-2])
    if value.startswith('"'):
        equal = lambda line: line.get(field) == value[1:-1]
        return {"=": equal, "!=": lambda line: not equal(line)}[operator]
    if operator == "!=":
        return lambda line: line.get(field) != int(value)
    if operator not in COMPARE:
        raise ValueError(f"{operator} compares no numbers here")
    number, compare = int(value), COMPARE[operator]
    return lambda line: isinstance(line.get(field), int) and compare(line[field], number)

