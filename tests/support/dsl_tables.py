"""The parse tables of `flow.lark`, as Lark makes them: `python tests/support/dsl_tables.py` writes them."""

import json
from pathlib import Path

import lark
from lark.lexer import Lexer
from lark.parsers.lalr_analysis import Shift

FOLDER = Path(__file__).resolve().parents[2] / "compiler" / "flowc" / "read_dsl"
GRAMMAR = FOLDER / "flow.lark"
TABLES = FOLDER / "flow_tables.json"
BREAK = ",\n  "


class NoLexer(Lexer):
    """In the place of Lark's own: the terminals are cut out by `flowc.read_dsl.lex`."""

    __future_interface__ = 2

    def __init__(self, conf):
        pass

    def lex(self, state, parser_state):
        raise NotImplementedError


def compiled(lexer=NoLexer, **options):
    """The grammar as a parser of Lark."""
    given = {"maybe_placeholders": False, "keep_all_tokens": True, **options}
    return lark.Lark(GRAMMAR.read_text(), parser="lalr", lexer=lexer, **given)


def made():
    """The text of the tables' file: numbered as they are reached, for Lark numbers them as its sets fall."""
    parser = compiled()
    table = parser.parser.parser._parse_table
    rules = sorted(parser.rules, key=lambda rule: (rule.origin.name, [part.name for part in rule.expansion]))
    start, end = table.start_states["start"], table.end_states["start"]
    order, numbers, states = [start], {start: 0}, []
    for state in order:
        row = {}
        for symbol, (what, argument) in sorted(table.states[state].items()):
            if what is Shift and argument not in numbers:
                numbers[argument] = len(order)
                order.append(argument)
            row[symbol] = numbers[argument] if what is Shift else ~rules.index(argument)
        states.append(row)
    words = {each.pattern.value: each.name for each in parser.terminals}
    rows = {
        "words": sorted(words.items()),
        "rules": [[rule.origin.name, len(rule.expansion)] for rule in rules],
        "states": states,
    }
    parts = [f' "{key}": [\n  {BREAK.join(map(json.dumps, row))}\n ]' for key, row in rows.items()]
    return "{\n" + ",\n".join([f' "end": {numbers[end]}', *parts]) + "\n}\n"


if __name__ == "__main__":
    TABLES.write_text(made())
