"""Breaks attention, layers, losses and the networks on purpose, one place of the code at a time, and counts what tests notice.

A mutant is the syntax tree of a file with one node exchanged inside a function: another operator, number, comparison, axis, order of
arguments, branch; a keyword, an activation or a line left out. It takes the file's place in a child process, where the file's own
tests run until one fails. Messages, annotations and docstrings stay as they are. Stored vectors of others are not read.
"""

import ast
import os
import random
import resource
import sys
import time
from importlib.machinery import SourceFileLoader
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ENOUGH = 0.9            # share of mutants that tests must notice
SAMPLE = 30             # mutants a file, unless all are asked for
NETWORKS = {"sfigf": ["sfigf"], "sfigf_blocks": ["sfigf"], "dagf": ["dagf"], "mgdn": ["mgdn"], "gdd": ["gdd"], "fgf": ["fgf"],
            "svlrm": ["svlrm"], "dkn": ["dkn"], "fdkn": ["dkn"], "cunet": ["cunet"], "djf": ["djf"], "djfr": ["djf"],
            "dctnet": ["dctnet"], "pannet": ["pannet"], "ifcnn": ["ifcnn"]}
FILES = {               # part -> file, tests
    "attention": ("girlib/attention.py", ["tests/test_attention.py",                # without those seconds of compiling for each mutant
                                          "--deselect=tests/test_attention.py::test_compiled_equals_the_definition"]),
    "layers": ("girlib/layers.py", ["tests/test_layers.py"]),
    "losses": ("girlib/losses.py", ["tests/test_losses.py"]),
    **{name: (f"girlib/networks/{name}.py", [f"tests/networks/test_{test}.py" for test in tests]) for name, tests in NETWORKS.items()},
}

SWAPS = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult, ast.Mod: ast.FloorDiv,
         ast.Pow: ast.Mult, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
         ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.And: ast.Or, ast.Or: ast.And}   # codespell:ignore notin
ONLY_SPEED = {"strict", "device", "out", "contiguous", "clone", "detach"}       # keywords and methods without which results are the same
SYMMETRIC = {"max", "min", "maximum", "minimum", "mul"}


def code_mutants(part, everything=False):
    """Prints the survivors and the share that was noticed; yields (part, whether that is enough) once."""
    file, tests = FILES[part]
    begun, source = time.time(), (ROOT / file).read_text()
    tree = ast.parse(source)
    places = list(mutations(tree))
    if not everything:
        places = random.Random(0).sample(places, min(SAMPLE, len(places)))
    outcome, seconds = run(file, source, tests, limit=600)
    if outcome:
        print(f"NOT {part}: the tests fail on the unbroken file ({outcome})", flush=True)
        yield part, False
        return
    survivors = []
    for change in sorted(places, key=lambda change: change.line):
        change.exchange()
        broken = ast.unparse(change.new)
        if run(file, tree, tests, limit=4 * seconds + 20)[0] is None:
            survivors.append(change)
            print(f"    {file}:{change.line}: {change.old_text}  ->  {broken}", flush=True)
        change.exchange()
    share = 1 - len(survivors) / len(places)
    print(f"{'ok' if share >= ENOUGH else 'NOT':<4}{part:<14}{len(places) - len(survivors):4} of {len(places):4} noticed, {share:.0%}, "
          f"{time.time() - begun:.0f} s", flush=True)
    yield part, share >= ENOUGH


class Change:
    """One node of a tree and what may stand there instead; `exchange` does it and undoes it."""

    def __init__(self, holder, key, old, new):
        self.holder, self.key, self.old, self.new = holder, key, old, ast.fix_missing_locations(ast.copy_location(new, old))
        self.line, self.old_text, self.is_new = old.lineno, ast.unparse(old), False

    def exchange(self):
        self.is_new = not self.is_new
        node = self.new if self.is_new else self.old
        if isinstance(self.holder, list):
            self.holder[self.key] = node
        else:
            setattr(self.holder, self.key, node)


def mutations(tree):
    """All changes inside functions and their default values."""
    def visit(node, inside):
        if isinstance(node, (ast.Raise, ast.JoinedStr)) or isinstance(node, ast.keyword) and node.arg in ONLY_SPEED:
            return
        if isinstance(node, ast.Slice) and ast.unparse(node) == "-2:":           # images have four axes: [2:] is the same
            return
        inside = inside or isinstance(node, (ast.FunctionDef, ast.Lambda))
        for name, value in ast.iter_fields(node):
            if name in ("annotation", "returns", "decorator_list"):
                continue
            for holder, key, child in [(value, i, x) for i, x in enumerate(value)] if isinstance(value, list) else [(node, name, value)]:
                if isinstance(child, ast.AST):
                    if inside and hasattr(child, "lineno"):
                        yield from (Change(holder, key, child, new) for new in alternatives(child))
                    yield from visit(child, inside)
    return visit(tree, False)


def alternatives(node):
    """What may stand in a node's place."""
    match node:
        case ast.BinOp(left, op, right) if type(op) in SWAPS:
            yield ast.BinOp(left, SWAPS[type(op)](), right)
        case ast.AugAssign(target, op, value) if type(op) in SWAPS:
            yield ast.AugAssign(target, SWAPS[type(op)](), value)
        case ast.Compare(left, [op], [right]):
            yield ast.Compare(left, [SWAPS[type(op)]()], [right])
        case ast.BoolOp(op, values):
            yield ast.BoolOp(SWAPS[type(op)](), values)
        case ast.UnaryOp(ast.USub() | ast.Not(), operand):
            yield operand
        case ast.IfExp(test, body, orelse):
            yield ast.IfExp(test, orelse, body)
        case ast.If(test, body, orelse) if not isinstance(body[0], ast.Raise):
            yield ast.If(ast.UnaryOp(ast.Not(), test), body, orelse)
        case ast.Constant(bool() as value):
            yield ast.Constant(not value)
        case ast.Constant(int() | float() as value):
            yield ast.Constant(value + 1)
        case ast.Expr(ast.Call()):
            yield ast.Pass()
        case ast.Call(ast.Attribute(owner, name), [], []) if name not in ONLY_SPEED:
            yield owner
        case ast.Call(function, [first, second, *rest], keywords) if (
                ast.unparse(first) != ast.unparse(second) and ast.unparse(function).rpartition(".")[2] not in SYMMETRIC):
            yield ast.Call(function, [second, first, *rest], keywords)
    if isinstance(node, ast.Call):
        for keyword in node.keywords:
            if keyword.arg not in ONLY_SPEED:
                yield ast.Call(node.func, node.args, [other for other in node.keywords if other is not keyword])


def run(file, code, tests, limit):
    """Runs the tests in a child where `file` holds other code: (None if they pass, else how they ended), CPU seconds."""
    for name in ("torch", "numpy", "pytest", "safetensors.torch"):      # once, in the parent; never what is broken
        __import__(name)
    begun = time.time()
    child = os.fork()
    if child == 0:
        try:
            os._exit(_in_child(str(ROOT / file), compile(code, str(ROOT / file), "exec"), tests, int(limit)))
        finally:
            os._exit(70)
    status = usage = None
    while status is None:
        done, ended, usage = os.wait4(child, os.WNOHANG)
        if done:
            status = ended
        elif time.time() - begun > 10 * limit:
            os.kill(child, 9)
            limit = float("inf")
        else:
            time.sleep(0.02)
    return None if status == 0 else f"status {status}", usage.ru_utime + usage.ru_stime


def _in_child(path, code, tests, limit):
    import pytest
    import torch
    torch.set_num_threads(1)
    resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))
    resource.setrlimit(resource.RLIMIT_AS, (2 ** 34, 2 ** 34))
    for name in ("GIRLIB_REFERENCE", "GIRLIB_DATA"):
        os.environ.pop(name, None)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"          # they take longer to load than most tests to run
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1), os.dup2(nowhere, 2)
    own = SourceFileLoader.get_code
    SourceFileLoader.get_code = lambda loader, name: code if loader.path == path else own(loader, name)
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    return int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", *tests]))
