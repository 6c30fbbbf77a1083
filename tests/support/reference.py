"""The reference of the language as tests read it: its pages, their sections, their blocks as files."""

import re
import textwrap
from dataclasses import dataclass
from pathlib import Path

from flowc.link import Library
from flowc.linked import every_file
from flowc.span import Source

DOCS = Path(__file__).resolve().parent.parent.parent / "docs"
INDEX = DOCS / "language.md"
PAGES = [INDEX, *sorted((DOCS / "language").glob("*.md"))]
PAIR = re.compile(r"^```yaml\n(.*?)^```\n```flow\n(.*?)^```", re.MULTILINE | re.DOTALL)
AROUND_YAML, AROUND_FLOW = PAIR.findall(INDEX.read_text())[0]


@dataclass(frozen=True)
class Section:
    """What stands under a heading of a page."""

    page: str
    head: str
    text: str

    @property
    def pairs(self):
        return PAIR.findall(self.text)


def sections():
    found = []
    for page in PAGES:
        parts = re.split(r"^(##+ .*)$", page.read_text(), flags=re.MULTILINE)
        for head, text in zip(parts[1::2], parts[2::2], strict=True):
            found.append(Section(page.name, head.lstrip("# "), text))
    return found


def whole_files(yaml, flow):
    """Both as whole files: steps stand in the flow that the index has around them."""
    if not re.match("(# .*\n)?flowc: 1\n", yaml):
        yaml = AROUND_YAML.replace("  - value: n\n", textwrap.indent(yaml, "  "))
        flow = AROUND_FLOW.replace("    n\n", textwrap.indent(flow, "    "), 1)
    return Source("page.flow.yaml", yaml), Source("page.flow", flow)


def others():
    """The files that the pages hold for other files to use."""
    named = re.compile(r"^# (\S+\.flow\.yaml)\n")
    found = {}
    for page in PAGES:
        for yaml, _ in PAIR.findall(page.read_text()):
            if match := named.match(yaml):
                found[match[1]] = yaml.encode()
    return found


def understood(source):
    """The file with those that it uses, which has no errors."""
    there = others()
    linked = Library(lambda path: there[Path(path).name]).link(source.name, source.text.encode())
    assert linked.file is not None, linked
    findings = [each for one in every_file(linked) for each in one.found]
    assert [(each.code, each.message) for each in findings if each.severity == "error"] == []
    return linked
