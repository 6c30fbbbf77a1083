"""Calls of flows, of the same file and of those that it uses: whether there is one, and what it takes."""

from collections.abc import Iterator

from flowc.checks.nearest import Nearest
from flowc.checks.places import listed
from flowc.diagnostic import Diagnostic, Fix, Label
from flowc.ir import Call, Flow, FlowCallee, Ident
from flowc.scope.facts import FlowFacts
from flowc.span import Source, Span
from flowrt.expr.tree import NOWHERE
from flowrt.noun import replace


def unknown_flows(facts: FlowFacts) -> Iterator[Diagnostic]:
    """Calls of flows that a used file does not have."""
    callees = [call.callee for call in facts.calls]
    unknown = [each for each in callees if isinstance(each, FlowCallee) and each.name not in facts.flows]
    if not unknown:
        return
    nearest = Nearest()
    aliases = {name.partition(".")[0] for name in facts.flows if "." in name}
    for callee in unknown:
        alias, _, wanted = callee.name.partition(".")
        if alias in aliases:
            yield _no_such_flow(alias, wanted, callee.span, facts, nearest)


def _no_such_flow(alias: str, wanted: str, at: Span, facts: FlowFacts, nearest: Nearest) -> Diagnostic:
    names = [name.removeprefix(f"{alias}.") for name in facts.flows if name.startswith(f"{alias}.")]
    meant = nearest.to(wanted, names)
    place = Span(max(at.end - len(wanted), at.start), at.end)
    return Diagnostic(
        "F0113",
        f"the file `{facts.file.used[alias].text}` has no flow `{wanted}`",
        facts.file.source,
        place,
        hint="" if meant is None else f"did you mean `{meant}`?",
        help=f"its flows are {listed(names)}",
        fixes=() if meant is None else (Fix(place, meant, f"write `{meant}`"),),
    )


def flow_arguments(facts: FlowFacts) -> Iterator[Diagnostic]:
    """Unknown inputs, missing ones, too many, and those given twice."""
    nearest = Nearest()
    for call in facts.calls:
        if isinstance(call.callee, FlowCallee) and call.callee.name in facts.flows:
            flow, source = facts.flows[call.callee.name], facts.file.source
            for finding in _call(call, flow, source, nearest):
                # The inputs of a flow of another file stand elsewhere: there is no place to show here.
                yield replace(finding, labels=()) if "." in call.callee.name else finding


def _call(call: Call, flow: Flow, source: Source, nearest: Nearest) -> Iterator[Diagnostic]:
    assert isinstance(call.callee, FlowCallee), "only flows have inputs"
    flow = replace(flow, name=Ident(call.callee.name, flow.name.span))
    at = call.callee.span
    names = [each.name.text for each in flow.inputs]
    given = set(names[: len(call.args)])
    if len(call.args) > len(names):
        extra = call.args[len(names)]
        yield _too_many(len(call.args), names, flow, Span(*extra.at) if extra.at != NOWHERE else at, source)
    faults = 0
    for ident, _ in call.kwargs:
        if ident.text not in names:
            faults += 1
            yield _unknown(ident, [name for name in names if name not in given], flow, source, nearest)
        elif ident.text in given:
            faults += 1
            yield Diagnostic(
                "F0217",
                f"the input `{ident.text}` of `{flow.name.text}` is given twice",
                source,
                ident.span,
                help="the arguments without a name fill the inputs in their order: leave out one of the two",
            )
        given.add(ident.text)
    missing = [each for each in flow.inputs if each.default is None and each.name.text not in given]
    # A misspelt input is missing as well: that is one fault.
    if missing and not faults:
        yield _missing([each.name for each in missing], flow, at, source)


def _too_many(count: int, names: list[str], flow: Flow, at: Span, source: Source) -> Diagnostic:
    takes = f"takes {len(names)} argument{'' if len(names) == 1 else 's'}" if names else "takes no arguments"
    return Diagnostic(
        "F0217",
        f"`{flow.name.text}` {takes}, but {count} {'is' if count == 1 else 'are'} given",
        source,
        at,
        hint="one too many" if count == len(names) + 1 else "too many from here on",
        help=f"its inputs are {listed(names)}"
        if names
        else "declare `inputs` in the flow, or leave the arguments out",
    )


def _unknown(ident: Ident, names: list[str], flow: Flow, source: Source, nearest: Nearest) -> Diagnostic:
    meant = nearest.to(ident.text, names)
    every = [each.name.text for each in flow.inputs]
    return Diagnostic(
        "F0217",
        f"the flow `{flow.name.text}` has no input `{ident.text}`",
        source,
        ident.span,
        hint="" if meant is None else f"did you mean `{meant}`?",
        help=f"its inputs are {listed(every)}" if every else "it has no inputs at all",
        fixes=() if meant is None else (Fix(ident.span, meant, f"write `{meant}`"),),
    )


def _missing(idents: list[Ident], flow: Flow, at: Span, source: Source) -> Diagnostic:
    names = [ident.text for ident in idents]
    word, verb = ("input", "is") if len(names) == 1 else ("inputs", "are")
    shown = ", ".join(f"{name}=…" for name in names[:3])
    return Diagnostic(
        "F0218",
        f"the {word} {listed(names)} of `{flow.name.text}` {verb} missing in this call",
        source,
        at,
        help=f"write `{flow.name.text}({shown})`, or declare a `default` for what may be left out",
        labels=tuple(Label(ident.span, "required: it has no default") for ident in idents[:3]),
    )
