"""The tasks of the stdlib_report flow: finding, parsing and counting the standard library's sources."""

import ast
import sysconfig
import tokenize
from collections import Counter
from pathlib import Path

import flowrt

ROOT = Path(sysconfig.get_path("stdlib"))


def find_sources() -> list[str]:
    """Every Python file of the standard library, without installed packages, in a fixed order."""
    paths = (path.relative_to(ROOT) for path in ROOT.rglob("*.py"))
    return sorted(str(path) for path in paths if "site-packages" not in path.parts)


def parse_file(path: str) -> dict[str, object]:
    """What one file holds. Raises SyntaxError or UnicodeDecodeError when Python cannot read it."""
    with tokenize.open(ROOT / path) as file:
        text = file.read()
    functions: list[tuple[int, str]] = []
    imports: set[str] = set()
    for node in ast.walk(ast.parse(text, path)):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                functions.append(((node.end_lineno or node.lineno) - node.lineno + 1, node.name))
            case ast.Import():
                imports.update(alias.name.partition(".")[0] for alias in node.names)
            case ast.ImportFrom(module=str(module), level=0):
                imports.add(module.partition(".")[0])
            case _:
                pass
    longest = max(functions, default=(0, ""))
    return {
        "path": path,
        "lines": text.count("\n"),
        "functions": len(functions),
        "longest": {"lines": longest[0], "name": longest[1]},
        "imports": sorted(imports),
    }


def parse_batch(paths: list[str]) -> list[dict[str, object]]:
    """What each file of a batch holds; the first one that Python cannot read fails the batch."""
    return [parse_file(path) for path in paths]


def package_of(path: str) -> str:
    """The top-level package or module that a file belongs to."""
    return Path(path).parts[0].removesuffix(".py")


def report(
    batches: list[list[dict]], singles: list[dict], errors: list["flowrt.ForError"], top: int = 12
) -> str:
    """The report as a text: totals, the largest packages, the files that Python cannot read."""
    files = [*singles, *(file for batch in batches for file in batch)]
    packages: dict[str, list[dict]] = {}
    for file in files:
        packages.setdefault(package_of(file["path"]), []).append(file)
    rows = sorted(
        ((sum(file["lines"] for file in members), name, members) for name, members in packages.items()),
        key=lambda row: (-row[0], row[1]),
    )
    lines = [
        f"{len(files)} files, {sum(row[0] for row in rows):,} lines, "
        f"{sum(file['functions'] for file in files):,} functions in {len(packages)} packages and modules",
        "",
        f"{'package':<16} {'files':>6} {'lines':>8} {'functions':>9}  longest function",
    ]
    for total, name, members in rows[:top]:
        longest = max(members, key=lambda file: (file["longest"]["lines"], file["path"]))
        lines.append(
            f"{name:<16} {len(members):>6} {total:>8,} {sum(f['functions'] for f in members):>9,}  "
            f"{longest['longest']['name']} ({longest['longest']['lines']} lines, {longest['path']})"
        )
    imported = Counter(name for file in files for name in file["imports"])
    most = ", ".join(f"{name} ({count})" for name, count in imported.most_common(8))
    lines += ["", f"imported the most: {most}"]
    lines += ["", f"{len(errors)} files that Python cannot read:"]
    lines += [f"  {error.item}: {error.type}" for error in errors]
    return "\n".join(lines)
