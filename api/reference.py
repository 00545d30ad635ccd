"""The tables of `docs/api.md` and `docs/errors.md`, written from the declarations: `python -m api.reference`.

A test fails when they are not what this would write.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import api
from api.contract import PUBLIC, Bound, Contract, contract_of, operations_of
from api.documents import uses_of_codes
from api.problems import answer_to
from autospot.domain.access import RULES

BEGIN, END = "<!-- written by python -m api.reference -->", "<!-- end -->"


def declared_operations() -> Contract:
    """Every operation of this package, whether a program serves it or not, in the order of paths."""
    modules = [import_module(f"api.{module.name}") for module in pkgutil.iter_modules(api.__path__)]
    kinds: set[type] = {kind for module in modules for kind in vars(module).values() if isinstance(kind, type)}
    contract = contract_of([kind for kind in kinds if kind.__module__.startswith("api.") and any(operations_of(kind))])
    return dict(sorted(contract.items(), key=lambda item: (item[1].operation.tag, item[1].operation.path)))


def operations_table(contract: Contract) -> str:
    """One table per tag: what, for whom, within which allowance."""
    return "\n".join(_operation_lines(contract)).strip()


def _operation_lines(contract: Contract) -> Iterator[str]:
    tag = ""
    for name, bound in contract.items():
        if bound.operation.tag != tag:
            tag = bound.operation.tag
            yield from ("", f"### {tag}", "", "| operation | what it does | for | allowance |", "|---|---|---|---|")
        yield f"| `{name}` | {bound.operation.summary}{_marks(bound)} | {_for_whom(bound)} | {bound.operation.limit} |"


def _marks(bound: Bound) -> str:
    declared = bound.operation
    marks = [
        *(["`Idempotency-Key`"] if declared.idempotency else []),
        *(["`ETag`"] if declared.etag else []),
        *(["`If-Match`"] if declared.if_match else []),
    ]
    return f" ({', '.join(marks)})" if marks else ""


def _for_whom(bound: Bound) -> str:
    access = bound.operation.access
    if access == PUBLIC:
        return "everybody"
    rule = RULES[access]
    roles = ", ".join(sorted(rule.roles)) + (" of the lot" if rule.per_lot else "")
    return f"{roles}; key `{rule.scope}`" if rule.scope else roles


def errors_table(contract: Contract) -> str:
    """Every code with its status, an example and whether to try again."""
    lines = ["| code | status | for example | again? |", "|---|---|---|---|"]
    for code, uses in sorted(uses_of_codes(contract).items()):
        _name, example = uses[0]
        again = "the same request may succeed later" if example.retryable else "not without a change"
        lines.append(f"| `{code}` | {answer_to(example).status} | {example.message} | {again} |")
    return "\n".join(lines)


def with_table(text: str, table: str) -> str:
    """`text` with what stands between the two marks replaced by `table`."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{table}\n\n{END}{after}"


def main(folder: Path) -> None:
    """Writes both tables into the pages in `folder`."""
    contract = declared_operations()
    for page, table in (("api.md", operations_table(contract)), ("errors.md", errors_table(contract))):
        path = folder / page
        path.write_text(with_table(path.read_text(), table))


if __name__ == "__main__":
    main(Path("docs"))
