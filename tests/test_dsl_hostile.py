"""No text in the DSL raises, hangs or goes too deep; expressions mean the same as in YAML.

The long forms are campaigns: `python tests/support/dsl_fuzz.py SECONDS SEED` for texts, and
`python tests/support/dsl_fuzz.py SECONDS SEED expressions` for expressions.
"""

import random

import pytest
from dsl_fuzz import TEXTS, both, corpus, examined, mutated, mutated_expression, says_the_same

HOSTILE = {
    "brackets": "flow f():\n    x = " + "(" * 100_000,
    "open_brackets": "flow f():\n" + "    x = (\n" * 5_000,
    "unclosed_text": "flow f():\n    x = '''" + "a\n" * 50_000,
    "quotes": "flow f():\n    x = " + "'\"" * 50_000,
    "blocks": "flow f():\n" + "".join(" " * (n + 1) + "if a:\n" for n in range(3_000)),
    "elifs": "flow f(a: int):\n    if a > 0:\n        a = 1\n" + "    elif a > 1:\n        a = 1\n" * 3_000,
    "elifs_in_elifs": "flow f(a: int):\n"
    + "".join(
        f"{' ' * 4 * (n + 1)}if a > 0:\n{' ' * 4 * (n + 2)}a = 1\n"
        + f"{' ' * 4 * (n + 1)}elif a > 1:\n{' ' * 4 * (n + 2)}a = 1\n" * 20
        for n in range(20)
    ),
    "backslashes": "flow f():\n    x = 1 + \\\n" + "\\\n" * 50_000,
    "indents": "flow f():\n" + "".join(" " * (n % 37) + "x = 1\n" for n in range(3_000)),
    "one_line": "flow f():\n    x = " + "a " * 200_000,
    "modifiers": "flow f():\n    t.f()" + " retry 3" * 3_000,
    "steps": "use m as t\nflow f():\n" + "    x = t.f(1) retry 3 catch OSError\n" * 1_500 + "    return x\n",
    "nothing": "",
    "a_comment": "# only this",
    "half": "flow",
    "surrogate": "flow f():\n    x = '\ud800'\n",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_texts_end_with_findings(name):
    examined(HOSTILE[name])


def test_mutated_flows_end_with_findings():
    chance = random.Random(7)
    for _ in range(60):
        examined(mutated(chance.choice(TEXTS), chance))


def test_expressions_mean_what_they_mean_in_yaml():
    chance = random.Random(11)
    texts = corpus()
    for text in texts[::4] + [mutated_expression(chance.choice(texts), chance) for _ in range(250)]:
        if says_the_same(text):
            dsl, yaml = both(text)
            assert dsl[0] == yaml[0], text
            assert (dsl[0] is None) == (yaml[0] is None), text


def test_a_long_text_in_brackets_is_told_to_be_long():
    text = "use m as t\nflow f():\n    a = t.f([\n        '" + "x" * 50_000 + "',\n    ])\n    return a\n"
    assert [each.code for each in examined(text)] == ["F0309"]
