"""The numbers by which stored bytes name classes. In: nothing; out: one table, which only ever grows.

A number is never given to another class, and fields are only added at the end, with a default: see
`flowrt.encoding.flat_form`. 1 to 39 are records and values, 40 to 89 programs, 100 to 139 expressions.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from flowrt import program, record, type_ref, value
from flowrt.expr import tree


@dataclass(frozen=True, slots=True)
class Library:
    """A program as it is stored: its flows in the order of their names, without its code."""

    main: str
    flows: tuple[tuple[str, program.Flow], ...]


CLASSES: Mapping[int, type] = {
    1: record.Started,
    2: record.Succeeded,
    3: record.Failed,
    4: record.Retrying,
    5: record.Stopped,
    6: record.Computed,
    7: record.Decided,
    8: record.Expanded,
    9: record.Sleeping,
    10: record.Waiting,
    11: record.Fired,
    12: record.Received,
    13: record.Emitted,
    14: record.CancelRequested,
    15: record.Reopened,
    16: record.Ended,
    17: record.Failure,
    18: record.Begun,
    19: record.Chosen,
    20: record.Detached,
    21: record.Queued,
    22: record.Entered,
    23: record.Unlocked,
    24: record.Locked,
    30: value.Inline,
    31: value.Blob,
    32: value.Items,
    33: value.Fields,
    34: value.Element,
    35: value.BodyError,
    36: value.Collected,
    37: value.Literal,
    40: Library,
    41: program.Flow,
    42: type_ref.Input,
    43: type_ref.TypeRef,
    44: program.Body,
    45: program.Node,
    46: program.Param,
    47: program.Out,
    48: program.Imported,
    49: program.Pickled,
    50: program.Retry,
    60: program.Task,
    61: program.Compute,
    62: program.Sample,
    63: program.Branch,
    64: program.ForEach,
    65: program.Loop,
    66: program.Sleep,
    67: program.Wait,
    68: program.Emit,
    69: program.Block,
    70: program.CallFlow,
    71: program.Leave,
    72: program.Fail,
    73: program.Saga,
    74: program.Undo,
    75: program.Switch,
    76: program.Case,
    77: program.Race,
    78: program.RaceBranch,
    80: program.Start,
    81: program.Lock,
    82: program.Cache,
    84: program.Bounded,
    85: program.Catch,
    86: program.Try,
    87: program.Rethrow,
    88: program.Actor,
    100: tree.Const,
    101: tree.Name,
    102: tree.Attribute,
    103: tree.Slice,
    104: tree.Index,
    105: tree.Unary,
    106: tree.Binary,
    107: tree.Compare,
    108: tree.Logic,
    109: tree.IfElse,
    110: tree.ListOf,
    111: tree.TupleOf,
    112: tree.SetOf,
    113: tree.DictOf,
    114: tree.Field,
    115: tree.FString,
    116: tree.Clause,
    117: tree.Comprehension,
    118: tree.Keyword,
    119: tree.Call,
}
