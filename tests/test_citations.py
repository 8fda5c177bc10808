"""Citations of docs/method: each one leads to a section that exists, and each page is cited.

The form is ``docs/method/PAGE.md, section 4``, or ``sections 4 and 9``, ``sections 3 to 5``, or the page alone. A
citation may run over two lines of a docstring or comment. Options name their section as
``option(..., method="extraction 4")``. This file is not searched, because it quotes broken citations.
"""

import ast
import functools
import io
import re
import tokenize
from bisect import bisect_right
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGES = ROOT / "docs" / "method"
FOLDERS = ("idt", "encoding", "classify", "tests", "benchmarks", "examples")
TEXTS = ("README.md", "CONTRIBUTING.md")

NUMBER = r"\d+(?:\.\d+)*"
CITATION = re.compile(
    rf"docs/method/(?P<page>[\w-]+\.md)"
    rf"(?:, (?:section (?P<one>{NUMBER})|sections (?P<several>{NUMBER}(?:(?:,|,? and| to) {NUMBER})+)))?"
)
UNREAD = re.compile(r"[\s,;:(\"'`]*(?:sections?\b|sec\b|§|\d)", re.IGNORECASE)
"""What follows a citation whose section was not read: a form that this test does not know."""
METHOD = re.compile(rf"(?P<page>\w+) (?P<several>{NUMBER}(?:, {NUMBER})*)")
OLD = re.compile(r"\bspec\b|\bthe\s+specification\b|\bspecification[,(]", re.IGNORECASE)
HEADING = re.compile(rf"^#{{2,6}} ({NUMBER})\.? (\S.*)$", re.MULTILINE)
LINK = re.compile(r"\]\((?!\w+://)([^)#\s]*)(?:#([^)\s]*))?\)")


class Citation(NamedTuple):
    """A line that cites ``sections`` of a page; no sections cite the whole page."""

    line: int
    page: str
    sections: tuple[str, ...]


def citations(text):
    """Return the citations of a text and the problems, (line, message), of those in an unknown form."""
    flat, line_at = flattened(text)
    found, problems = [], []
    for match in CITATION.finditer(flat):
        line = line_at(match.start())
        if UNREAD.match(flat, match.end()):
            problems.append((line, f"unknown form: {flat[match.start() : match.end() + 20]!r}"))
            continue
        named = (match["one"],) if match["one"] else expanded(match["several"] or "")
        found.append(Citation(line, match["page"], named))
    return found, problems


def flattened(text):
    """Join the lines of a text without indentation and comment marks; also return a function from offset to line."""
    starts, parts, offset = [], [], 0
    for line in text.splitlines():
        part = re.sub(r"^[\s#]+|\s+$", "", line)
        starts.append(offset)
        parts.append(part)
        offset += len(part) + 1
    return " ".join(parts), lambda at: bisect_right(starts, at)


def expanded(listed):
    """Return the numbers of a list such as ``1, 4 and 6`` or ``3 to 5``."""
    numbers: list[str] = []
    for separator, number in re.findall(rf"(,? and |, | to |^)({NUMBER})", listed):
        if separator == " to ":
            first, last = int(numbers[-1].split(".")[-1]), int(number.split(".")[-1])
            stem = number[: len(number) - len(number.split(".")[-1])]
            numbers.extend(f"{stem}{i}" for i in range(min(first + 1, last), last + 1))
        else:
            numbers.append(number)
    return tuple(numbers)


def method_citations(source):
    """Return what the options of a Python source cite, and the problems of options that cite in another form."""
    found, problems = [], []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or getattr(node.func, "id", getattr(node.func, "attr", "")) != "option":
            continue
        for keyword in node.keywords:
            if keyword.arg == "spec":
                problems.append((keyword.lineno, "option(spec=...) is the old form; use method=..."))
            elif keyword.arg == "method":
                value = getattr(keyword.value, "value", None)
                match = METHOD.fullmatch(value) if isinstance(value, str) else None
                if match:
                    found.append(Citation(keyword.lineno, match["page"] + ".md", expanded(match["several"])))
                else:
                    problems.append((keyword.lineno, f"unknown form: method={value!r}"))
    return found, problems


def old_citations(source):
    """Return the problems of comments and strings that still cite the specification."""
    if not OLD.search(source):
        # Most files: a search of the text takes a hundredth of the time that its tokens take.
        return []
    texts = {tokenize.COMMENT, tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING)}
    problems = []
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type in texts:
            for match in OLD.finditer(token.string):
                line = token.start[0] + token.string.count("\n", 0, match.start())
                problems.append((line, f"old form: {match[0]!r}; cite docs/method"))
    return problems


def sections(text):
    """Return the numbers of the headings of a page."""
    return [number for number, _ in HEADING.findall(text)]


def unresolved(found, pages):
    """Return the problems of citations that lead nowhere; ``pages`` are texts by file name."""
    problems = []
    for line, page, numbers in found:
        if page not in pages:
            problems.append((line, f"docs/method/{page} does not exist"))
            continue
        known = sections(pages[page])
        problems += [(line, f"docs/method/{page} has no section {number}") for number in numbers if number not in known]
    return problems


def check(text, pages, *, python):
    """Return the citations of a file and all its problems."""
    found, problems = citations(text)
    if python:
        by_option, wrong = method_citations(text)
        found += by_option
        problems += wrong + old_citations(text)
    return found, problems + unresolved(found, pages)


def files():
    """Return the files that may cite."""
    python = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]
    return [path for path in python if path != Path(__file__).resolve()] + [ROOT / name for name in TEXTS]


def all_pages():
    """Return the text of each page by its file name."""
    return {path.name: path.read_text(encoding="utf-8") for path in sorted(PAGES.glob("*.md"))}


@functools.cache
def checked():
    """Return (path, citations, problems) of every file."""
    pages = all_pages()
    return [(path, *check(path.read_text(encoding="utf-8"), pages, python=path.suffix == ".py")) for path in files()]


def anchors(text):
    """Return the anchors that GitHub gives the headings of a page."""
    titles = re.findall(r"^#{1,6} (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


PAGE = "# Page\n\n## 1. First\n\n### 1.1 Part\n\n## 2. Second\n\n## 3. Third\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("docs/method/page.md, section 1.1. More", ("1.1",)),
        ("docs/method/page.md, sections 1 and 3; Bay", ("1", "3")),
        ("docs/method/page.md, sections 1, 2 and 3)", ("1", "2", "3")),
        ("docs/method/page.md, sections 1 to 3.", ("1", "2", "3")),
        ("docs/method/page.md.", ()),
        ("    Notes\n    see docs/method/page.md,\n    section 2, for it", ("2",)),
        ("# see docs/method/page.md, section\n    # 2: why", ("2",)),
    ],
)
def test_a_citation_is_read_over_lines_and_marks(text, expected):
    found, problems = check(text, {"page.md": PAGE}, python=False)
    assert [citation.sections for citation in found] == [expected]
    assert not problems


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1\n# docs/method/page.md,\n# section 4", "docs/method/page.md has no section 4"),
        ("\n'''docs/method/page.md, sections 1 and 1.2'''", "docs/method/page.md has no section 1.2"),
        ("\n'''docs/method/page.md, sections 2 to 4'''", "docs/method/page.md has no section 4"),
        ("\n'''docs/method/other.md, section 1'''", "docs/method/other.md does not exist"),
        ("\n'''docs/method/other.md'''", "docs/method/other.md does not exist"),
        ("\n'''docs/method/page.md section 1'''", "unknown form"),
        ("\n'''docs/method/page.md, section four'''", "unknown form"),
        ("\n'''docs/method/page.md, § 1'''", "unknown form"),
        ("\noption(1, method='page 4')", "docs/method/page.md has no section 4"),
        ("\noption(1, method='other 1')", "docs/method/other.md does not exist"),
        ("\noption(1, method='page, first')", "unknown form"),
        ("\noption(1, spec='4')", "old form"),
        ("\n'''Points (spec 4).'''", "old form"),
        ("\n# Spec, page 6: why", "old form"),
        ("\n'''Source: spec, page 6'''", "old form"),
        ("\n'''As the specification words it.'''", "old form"),
        ("\n'''Version 1 (specification, \"Model\")'''", "old form"),
    ],
)
def test_a_broken_citation_is_named_with_its_line(text, message):
    _, problems = check(text, {"page.md": PAGE}, python=True)
    assert [line for line, _ in problems] == [2]
    assert message in problems[0][1]


def test_a_variable_may_be_called_spec():
    assert check("spec = find_spec('numba')", {}, python=True) == ([], [])


def test_every_citation_leads_to_a_section():
    problems = [
        f"{path.relative_to(ROOT)}:{line}: {message}" for path, _, wrong in checked() for line, message in wrong
    ]
    assert not problems, "\n".join(problems)


def test_every_page_is_cited():
    cited = {citation.page for _, found, _ in checked() for citation in found}
    assert not set(all_pages()) - {"README.md"} - cited


def test_every_folder_and_text_is_there():
    missing = [name for name in (*FOLDERS, *TEXTS) if not (ROOT / name).exists()]
    assert not missing, f"not searched, because absent: {missing}"


@pytest.mark.parametrize("name", sorted(all_pages()))
def test_the_sections_of_a_page_have_different_numbers(name):
    numbers = sections(all_pages()[name])
    assert numbers
    assert len(set(numbers)) == len(numbers)


@pytest.mark.parametrize("name", sorted(all_pages()))
def test_the_links_of_a_page_resolve(name):
    links = LINK.findall(all_pages()[name])
    assert links
    for target, anchor in links:
        path = PAGES / target if target else PAGES / name
        assert path.is_file(), f"{name} links to {target}"
        if anchor:
            assert anchor in anchors(path.read_text(encoding="utf-8")), f"{name} links to {target}#{anchor}"


def test_the_index_links_to_every_page():
    linked = {target for target, _ in LINK.findall(all_pages()["README.md"])}
    assert set(all_pages()) - {"README.md"} <= linked
