"""What a repository's `.gitignore` files exclude. In: paths. Out: whether git would ignore them.

The rules are those of gitignore(5): a pattern with a slash in front or inside is anchored to the
directory of its file, another matches a name at any depth; `/` at the end matches directories only;
`**` crosses directories; `!` takes back; the last match wins, and files deeper down come later. What
lies in an ignored directory cannot be taken back, which holds because nobody searches in there.
`.git/info/exclude` counts as well; a user's global excludes do not, so that all see the same files.
"""

import re
from pathlib import Path

from flowrt.noun import noun


@noun
class Rule:
    """One line of a file: what it matches, relative to the directory `base`."""

    base: Path
    pattern: re.Pattern[str]
    negated: bool
    only_dirs: bool


@noun
class Ignore:
    """The rules that hold in a directory, those that win last."""

    rules: tuple[Rule, ...] = ()

    @staticmethod
    def above(folder: Path) -> "Ignore":
        """The rules that hold in `folder` because of the directories above it, up to the repository's."""
        root = next((up for up in (folder, *folder.parents) if (up / ".git").exists()), None)
        if root is None:
            return Ignore()
        ignore = Ignore(_read(root / ".git" / "info" / "exclude", root))
        inner = folder.relative_to(root).parts
        for depth in range(len(inner)):
            ignore = ignore.entering(root.joinpath(*inner[:depth]))
        return ignore

    def entering(self, folder: Path) -> "Ignore":
        """These rules and those of the `.gitignore` in `folder`."""
        if (folder / ".git").exists():  # A repository inside another starts afresh.
            return Ignore(_read(folder / ".git" / "info" / "exclude", folder) + _read_here(folder))
        more = _read_here(folder)
        return Ignore(self.rules + more) if more else self

    def matches(self, path: Path, *, is_dir: bool) -> bool:
        """Whether git ignores `path`, which lies in the directory that these rules are for."""
        for rule in reversed(self.rules):
            if rule.only_dirs and not is_dir:
                continue
            if rule.pattern.fullmatch(path.relative_to(rule.base).as_posix()):
                return not rule.negated
        return False


def _read_here(folder: Path) -> tuple[Rule, ...]:
    return _read(folder / ".gitignore", folder)


def _read(file: Path, base: Path) -> tuple[Rule, ...]:
    try:
        text = file.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return ()
    rules = (_rule(line, base) for line in text.removeprefix("\ufeff").split("\n"))
    return tuple(rule for rule in rules if rule is not None)


def _rule(line: str, base: Path) -> Rule | None:
    line = line.removesuffix("\r")
    while line.endswith(" ") and not line.endswith("\\ "):
        line = line[:-1]
    negated = line.startswith("!")
    line = line[1:] if negated else line
    if not line or (line.startswith("#") and not negated):
        return None
    only_dirs = line.endswith("/")
    line = line.removesuffix("/")
    anchored = "/" in line
    line = line.removeprefix("/")
    if not line:
        return None
    if not anchored:
        line = f"**/{line}"
    try:
        return Rule(base, re.compile(_translate(line), re.DOTALL), negated, only_dirs)
    except re.error:  # An unclosed or reversed bracket matches nothing, as for git.
        return None


def _translate(glob: str) -> str:
    """The regular expression of a pattern whose place is clear."""
    parts: list[str] = []
    at = 0
    while at < len(glob):
        if glob.startswith("**/", at) and (at == 0 or glob[at - 1] == "/"):
            parts.append("(?:.*/)?")
            at += 3
        elif glob[at:] == "**" and at > 0 and glob[at - 1] == "/":
            parts.append(".+")
            at += 2
        else:
            part, at = _translate_one(glob, at)
            parts.append(part)
    return "".join(parts)


def _translate_one(glob: str, at: int) -> tuple[str, int]:
    match glob[at]:
        case "*":
            while at < len(glob) and glob[at] == "*":
                at += 1
            return "[^/]*", at
        case "?":
            return "[^/]", at + 1
        case "\\" if at + 1 < len(glob):
            return re.escape(glob[at + 1]), at + 2
        case "[":
            return _translate_bracket(glob, at)
        case other:
            return re.escape(other), at + 1


def _translate_bracket(glob: str, at: int) -> tuple[str, int]:
    body = at + 2 if glob[at + 1 : at + 2] in ("!", "^") else at + 1
    end = glob.find("]", body + 1)
    if end < 0:
        raise re.error("a bracket is not closed")
    chars = glob[body:end].replace("\\", "\\\\").replace("[", "\\[").replace("^", "\\^")
    inverted = "^" if body == at + 2 else ""
    return f"(?!/)[{inverted}{chars}]", end + 1
