"""The mutants of a module: its code with one small fault of mutmut's each."""

import ast
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import libcst as cst
from libcst.metadata import ByteSpanPositionProvider, MetadataWrapper
from mutmut.mutation import mutators
from mutmut.mutation.file_mutation import Mutation, MutationVisitor
from mutmut.mutation.pragma_handling import IgnoredCode

MODULE_LEVEL = "(module)"
"""The name in place of the function if a fault is not in one."""

MESSAGES = {"print", "echo", "tqdm", "warning", "info", "exception"}
"""Functions and methods that only print or log."""

UNTESTED = {"strict", "encoding", "description"}
"""Arguments that are assertions, matter only on other systems, or are text for people."""


@dataclass(frozen=True)
class Mutant:
    """A fault in the `function` of a `module`: the lines `before` become the lines `after`.

    `code` is the whole module with the fault in it, `original` without it; `lines` are the numbers
    of the first and the last line of the statement that changes, or of its head if it contains
    others.
    """

    module: str
    function: str
    before: str
    after: str
    code: str = field(repr=False, compare=False)
    original: str = field(default="", repr=False, compare=False)
    lines: tuple[int, int] = field(default=(1, 1), compare=False)


class Faults:
    """The mutants of a module in the order of its lines, each created on access."""

    def __init__(self, module: str, code: str) -> None:
        wrapper = MetadataWrapper(cst.parse_module(code))
        visitor = _Visitor(OPERATORS, IgnoredCode(set(), set(), set()))
        wrapper.visit(visitor)
        self._spans = wrapper.resolve(ByteSpanPositionProvider)
        self._module = module
        self._code = code
        self._lines = ast.parse(code)
        self._cst = wrapper.module
        self._faults = list(_located(self._cst, visitor.mutations))

    def __len__(self) -> int:
        return len(self._faults)

    def __iter__(self) -> Iterator[Mutant]:
        return (self[number] for number in range(len(self)))

    def __getitem__(self, number: int) -> Mutant:
        statement, start, fault = self._faults[number]
        mutated = self._spliced(fault)
        if mutated is None:
            text = self._cst.code_for_node(statement)
            replaced = statement.deep_replace(fault.original_node, fault.mutated_node)
            new = self._cst.code_for_node(replaced) if isinstance(replaced, cst.CSTNode) else ""
            mutated = self._code[:start] + new + self._code[start + len(text) :]
        line, before, after = _difference(self._code, mutated)
        return Mutant(
            self._module,
            _function_at(self._lines, line),
            before,
            after,
            mutated,
            self._code,
            _statement_at(self._lines, line, line + max(0, before.count("\n"))),
        )

    def _spliced(self, fault: Mutation) -> str | None:
        """Return the code with another text where the node is, which takes a tenth of the time.

        None if its text is not there as it is alone: it has parentheses or an indentation.
        """
        span = self._spans.get(fault.original_node)
        text = self._cst.code_for_node(fault.original_node).encode()
        code = self._code.encode()
        if span is None or not code.startswith(text, span.start):
            return None
        new = self._cst.code_for_node(fault.mutated_node).encode()
        return (code[: span.start] + new + code[span.start + len(text) :]).decode()


def _located(
    module: cst.Module, faults: Iterable[Mutation]
) -> Iterator[tuple[cst.CSTNode, int, Mutation]]:
    """Yield each fault with its top-level statement and where in the code that begins."""
    start = len("".join(module.code_for_node(line) for line in module.header))
    statements: dict[int, tuple[cst.CSTNode, int]] = {}
    for statement in module.body:
        statements |= dict.fromkeys(map(id, _nodes(statement)), (statement, start))
        start += len(module.code_for_node(statement))
    for fault in faults:
        yield (*statements[id(fault.original_node)], fault)


def _nodes(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    yield node
    for child in node.children:
        yield from _nodes(child)


class _Visitor(MutationVisitor):
    """mutmut's visitor, which also visits decorated functions, and skips messages."""

    def on_visit(self, node: cst.CSTNode) -> bool:
        if isinstance(node, cst.Raise) or _is_message(node) or _is_untested(node):
            return False
        if _is_only_type(node):
            return False
        # mutmut omits decorated functions, as its runner cannot wrap them.
        if _is_type(node) or (isinstance(node, cst.FunctionDef) and node.decorators):
            return True
        return super().on_visit(node)


def _is_message(node: cst.CSTNode) -> bool:
    call = node.value if isinstance(node, cst.Expr) else node
    return isinstance(call, cst.Call) and _name(call.func) in MESSAGES


def _is_untested(node: cst.CSTNode) -> bool:
    keyword = node.keyword if isinstance(node, cst.Arg) else None
    return keyword is not None and keyword.value in UNTESTED


def _is_type(node: cst.CSTNode) -> bool:
    """Whether an assignment is a type alias, such as `Ids = NDArray[np.int64]`."""
    if not isinstance(node, cst.Assign) or not isinstance(node.value, cst.Subscript):
        return False
    name = _name(node.value.value)
    return name[:1].isupper() or name in ("tuple", "dict", "list", "set")


def _is_only_type(node: cst.CSTNode) -> bool:
    """Whether an assignment is a type without parts that matter: `TypeVar("T")`, `A | B`."""
    value = node.value if isinstance(node, cst.Assign) else None
    if isinstance(value, cst.Call):
        return _name(value.func) == "TypeVar"
    if isinstance(value, cst.BinaryOperation) and isinstance(value.operator, cst.BitOr):
        name = _name(value.right)
        return name[:1].isupper() and not name.isupper()
    return False


def _name(node: cst.BaseExpression) -> str:
    """Return a name, or the last part of `a.b.name`."""
    named = node.attr if isinstance(node, cst.Attribute) else node
    return named.value if isinstance(named, cst.Name) else ""


def _string(node: cst.BaseString) -> Iterable[cst.CSTNode]:
    """Yield the string that differs in more than case: SQL and encodings ignore case."""
    return list(mutators.operator_string(node))[:1]


def _argument(node: cst.Call) -> Iterator[cst.CSTNode]:
    """Yield calls with a positional argument of None or without a keyword argument.

    Literals are mutated themselves.
    """
    for mutated in mutators.operator_arg_removal(node):
        changed = next(arg for arg in node.args if arg not in mutated.args)
        removed = len(mutated.args) < len(node.args)
        if changed.keyword:
            wanted = removed and not _is_untested(changed)
        else:
            wanted = not removed and not isinstance(changed.value, cst.BaseNumber | cst.BaseString)
        if wanted:
            yield mutated


def _call_removed(node: cst.Expr) -> Iterator[cst.CSTNode]:
    """Yield the statement without the call that it consists of."""
    if isinstance(node.value, cst.Call):
        yield node.with_changes(value=cst.Ellipsis())


REPLACEMENTS: Mapping[object, Callable[..., Iterable[cst.CSTNode]]] = {
    mutators.operator_string: _string,
    mutators.operator_arg_removal: _argument,
}

OPERATORS: mutators.OPERATORS_TYPE = [
    *(
        (kind, REPLACEMENTS.get(operator, operator))
        for kind, operator in mutators.mutation_operators
    ),
    (cst.Expr, _call_removed),
]


def _difference(code: str, mutated: str) -> tuple[int, str, str]:
    """Return the number of the first line that differs, and the differing lines of both."""
    old, new = code.splitlines(), mutated.splitlines()
    lines = zip(old, new, strict=False)
    first = next(
        (n for n, (one, other) in enumerate(lines) if one != other), min(len(old), len(new))
    )
    last = 0
    while last < min(len(old), len(new)) - first and old[-1 - last] == new[-1 - last]:
        last += 1
    return first + 1, _lines(old[first : len(old) - last]), _lines(new[first : len(new) - last])


def _lines(lines: list[str]) -> str:
    return "\n".join(line.strip() for line in lines)


def _function_at(tree: ast.Module, line: int) -> str:
    """Return the qualified name of the outermost function that contains a line."""
    names: list[str] = []
    body: list[ast.stmt] = tree.body
    while body:
        node = next(
            (child for child in body if child.lineno <= line <= (child.end_lineno or 0)), None
        )
        if not isinstance(node, ast.ClassDef | ast.FunctionDef):
            break
        names.append(node.name)
        body = node.body if isinstance(node, ast.ClassDef) else []
    return ".".join(names) or MODULE_LEVEL


def _statement_at(tree: ast.Module, first: int, last: int) -> tuple[int, int]:
    """Return the first and last line of the innermost statement that has these, or of its head."""
    extent = first, last
    body: list[ast.stmt] = tree.body
    while node := _around(body, first, last):
        start = min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", []))])
        extent = start, node.end_lineno or last
        parts = [getattr(node, name, []) for name in ("body", "orelse", "finalbody")]
        parts += [
            each.body for each in (*getattr(node, "handlers", []), *getattr(node, "cases", []))
        ]
        inner = next((part for part in parts if _around(part, first, last)), None)
        if inner is None and parts[0] and last < parts[0][0].lineno:
            return start, parts[0][0].lineno - 1
        body = inner or []
    return extent


def _around(body: list[ast.stmt], first: int, last: int) -> ast.stmt | None:
    """Return the statement that contains these lines."""
    for node in body:
        start = min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", []))])
        if start <= first and last <= (node.end_lineno or 0):
            return node
    return None
