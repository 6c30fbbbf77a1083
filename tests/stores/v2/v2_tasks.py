def big(n):
    return list(range(n))


def total(xs):
    return sum(xs)


def broken():
    raise ValueError("as it was written")
