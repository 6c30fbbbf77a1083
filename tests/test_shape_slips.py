"""Lists and graphs mixed up: each slip, under each word, is a finding whose help is the corrected text.

And the corrected text is right: put in the place of what was written, it gives a flow without errors.
"""

from textwrap import dedent, indent

import pytest

from flowc.compile import check_source
from flowc.diagnostic import Diagnostic, Fix
from flowc.span import Source

HEAD = """\
flowc: 1
use: {t: shop.etl}
events: {go: {type: any, external: true}}
flow: f
inputs: {n: {type: int, default: 1}}
"""
FLOWS = {
    "steps": "steps:\n{}\n",
    "do": "steps:\n  - for: x in [1]\n    do:\n{}\n",
    "do of a block": "steps:\n  - timeout: 1h\n    do:\n{}\n",
    "then": "steps:\n  - if: n > 1\n    then:\n{}\n",
    "else": "steps:\n  - if: n > 1\n    then: t.z()\n    else:\n{}\n",
    "else of a wait": "steps:\n  - wait: go\n    timeout: 1h\n    else:\n{}\n",
    "try": "steps:\n  - try:\n{}\n    catch: {{do: []}}\n",
    "do of a catch": "steps:\n  - try: [{{call: t.z()}}]\n    catch:\n      as: e\n      do:\n{}\n",
    "finally": "steps:\n  - try: [{{call: t.z()}}]\n    finally:\n{}\n",
    "saga": "steps:\n  - saga:\n{}\n",
    "do of a case": "steps:\n  - switch: n\n    cases:\n      - is: 1\n        do:\n{}\n",
    "do of a branch": "steps:\n  - race:\n      - id: x\n        do:\n{}\n      - {{id: y, do: t.z()}}\n",
}
LISTS = {
    "a lost dash": (
        "F0105",
        """
        id: a
        call: t.a
        with:
          x: 1
        """,
        """
        - id: a
          call: t.a
          with:
            x: 1
        """,
    ),
    "lost dashes": (
        "F0006",
        """
        id: a
        call: t.a
        with:
          x: 1
        id: b
        call: t.b(a)
        call: t.c(b)
        """,
        """
        - id: a
          call: t.a
          with:
            x: 1
        - id: b
          call: t.b(a)
        - call: t.c(b)
        """,
    ),
    "a map of named steps": (
        "F0105",
        """
        a: t.a(n)
        b:
            call: t.b
            with:
                x: ${{ a }}
        c: n + 1
        d: {call: t.d(b), retry: 2}
        """,
        """
        - id: a
          call: t.a(n)
        - id: b
          call: t.b
          with:
            x: ${{ a }}
        - id: c
          value: n + 1
        - id: d
          call: t.d(b)
          retry: 2
        """,
    ),
    "an added dash": (
        "F0106",
        """
        - - id: a
            call: t.a
            with:
              x: 1
          - call: t.b(n)
        """,
        """
        - id: a
          call: t.a
          with:
            x: 1
        - call: t.b(n)
        """,
    ),
}
GRAPHS = {
    "graph": "steps:\n  - graph:\n{}\n",
    "graph of a flow": "graph:\n{}\n",
    "graph of a loop": "steps:\n  - for: x in [1]\n    graph:\n{}\n",
    "graph of a case": "steps:\n  - switch: n\n    cases:\n      - is: 1\n        graph:\n{}\n",
    "graph of a branch": "steps:\n  - race:\n      - {{id: y, do: []}}\n      - id: x\n        graph:\n{}\n",
}
NAMED = (
    "F0104",
    """
    - id: a
      call: t.a(n)
    - id: b
      call: t.b
      with:
        x: ${{ a }}
    """,
    """
    a: t.a(n)
    b:
      call: t.b
      with:
        x: ${{ a }}
    """,
)
ARMS = {
    "cases: one without its dash": (
        "steps:\n  - switch: n\n    cases:\n{}\n",
        ("F0129", "is: 1\ndo:\n  - call: t.a()", "- is: 1\n  do:\n    - call: t.a()"),
    ),
    "cases: a map of values": (
        "steps:\n  - switch: n\n    cases:\n{}\n",
        (
            "F0129",
            "1: t.a()\n2:\n- call: t.b()\n3:\n  call: t.c\n  retry: 1",
            """
            - is: 1
              do: t.a()
            - is: 2
              do:
                - call: t.b()
            - is: 3
              do:
                - call: t.c
                  retry: 1
            """,
        ),
    ),
    "race: one without its dash": (
        "steps:\n  - race:\n{}\n",
        ("F0129", "id: x\ndo: t.a()", "- id: x\n  do: t.a()"),
    ),
    "race: a map of names": (
        "steps:\n  - race:\n{}\n",
        (
            "F0129",
            "x: t.a()\ny:\n  do:\n    - call: t.b()\nz:\n  - call: t.c()",
            """
            - id: x
              do: t.a()
            - id: y
              do:
                - call: t.b()
            - id: z
              do:
                - call: t.c()
            """,
        ),
    ),
    "catch: steps": (
        "steps:\n  - try: [{{call: t.z()}}]\n    catch:\n{}\n",
        ("F0103", "- call: t.a()\n- call: t.b()", "do:\n  - call: t.a()\n  - call: t.b()"),
    ),
    "catch: a step": (
        "steps:\n  - try: [{{call: t.z()}}]\n    catch:\n{}\n",
        ("F0103", "call: t.a\nretry: 2", "do:\n  - call: t.a\n    retry: 2"),
    ),
}
SLIPS = [
    *(
        pytest.param(flow, slip, id=f"{word}: {name}")
        for word, flow in FLOWS.items()
        for name, slip in LISTS.items()
    ),
    *(pytest.param(flow, NAMED, id=f"{word}: a list") for word, flow in GRAPHS.items()),
    *(pytest.param(flow, slip, id=name) for name, (flow, slip) in ARMS.items()),
]


def errors_of(text: str) -> list[Diagnostic]:
    _, found = check_source(Source("x.flow.yaml", text))
    return [each for each in found if each.severity == "error"]


def mended(text: str, fix: Fix) -> str:
    return text[: fix.span.start] + fix.replacement + text[fix.span.end :]


@pytest.mark.parametrize(("flow", "slip"), SLIPS)
def test_the_help_is_the_corrected_text_and_so_is_the_fix(flow: str, slip: tuple[str, str, str]) -> None:
    code, wrong, right = slip[0], dedent(slip[1]).strip("\n"), dedent(slip[2]).strip("\n")
    text = HEAD + flow.format(indent(wrong, " " * 10))
    first = errors_of(text)[0]
    assert first.code == code, first
    assert indent(right, "  ") in dedent_code(first.help)
    assert errors_of(HEAD + flow.format(indent(right, " " * 10))) == []
    [fix] = [fix for fix in first.fixes if "\n" in fix.replacement]
    assert errors_of(mended(text, fix)) == []


def dedent_code(text: str) -> str:
    """Inner indents of four, as they may stand in the author's text, are as good as those of two."""
    return text.replace("        x: ${{ a }}", "      x: ${{ a }}")


@pytest.mark.parametrize("flow", FLOWS.values(), ids=FLOWS)
def test_flow_style_is_shown_corrected_as_well(flow: str) -> None:
    single = errors_of(HEAD + flow.format(" " * 10 + "{call: t.a(n), retry: 2}"))[0]
    assert "[{call: t.a(n), retry: 2}]" in single.help
    several = errors_of(HEAD + flow.format(" " * 10 + "{a: t.a(n), b: {call: t.b(a), retry: 2}}"))[0]
    assert "  - id: a\n    call: t.a(n)\n  - id: b\n    call: t.b(a)\n    retry: 2" in several.help


def test_a_list_under_graph_whose_steps_have_no_names() -> None:
    text = HEAD + "steps:\n  - graph:\n      - call: t.a(n)\n      - t.b()\n      - {id: c, sleep: 1m}\n"
    first = errors_of(text)[0]
    assert first.help.startswith("give every step a name, as its key:\n")
    assert "  name1: t.a(n)\n  name2: t.b()\n  c:\n    sleep: 1m\n" in first.help
    [fix] = first.fixes
    assert fix.replacement == "do"


def test_cases_with_an_else_among_them() -> None:
    text = HEAD + "steps:\n  - switch: n\n    cases:\n      1: t.a()\n      default: t.b()\n"
    first = errors_of(text)[0]
    assert first.help.endswith(
        "  - is: 1\n    do: t.a()\nand what runs otherwise under `else:`, beside `cases:`"
    )
    assert first.fixes == ()
