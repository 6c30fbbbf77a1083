"""How much a store answers at once. In: nothing; out: two numbers."""

JOURNALS_MAX = 200
"""How many records a journal may have to be read together with others."""

PLACES_MAX = 1_000
"""Of how many new events `news` tells the places."""
