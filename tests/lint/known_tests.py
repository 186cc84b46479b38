"""Every test of the tree by the name that documents use for it."""
import re
import tomllib

from lint_support import ROOT

GTEST = re.compile(r"^\s*TEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)\s*\)", re.MULTILINE)
PYTHON = re.compile(r"^\s*def (test_\w+)\(", re.MULTILINE)
CASE = re.compile(r"^[A-Z]{3}-\d{2}$")
FOLDERS = ("unit", "integration", "attack", "lint", "package", "golden", "languages", "clients", "gateway", "tls")


def gtests():
    """Suite.Case of every GoogleTest case, and each Suite by itself."""
    names = set()
    for path in (ROOT / "tests").rglob("*.cc"):
        for suite, case in GTEST.findall(path.read_text(encoding="utf-8", errors="replace")):
            names |= {suite, f"{suite}.{case}"}
    return names


def python_tests():
    """test_name of every Python test, and the path of every file that has one."""
    names = set()
    for folder in FOLDERS:
        for path in (ROOT / "tests" / folder).rglob("*.py"):
            found = PYTHON.findall(path.read_text(encoding="utf-8"))
            if found and (path.name.startswith("test_") or path.name.endswith("_test.py")):
                names |= set(found) | {str(path.relative_to(ROOT))}
    return names


def attack_cases():
    """Ids that are run, or that name the tests that hold them. An id that is only excluded holds nothing."""
    names = set()
    for path in (ROOT / "tests" / "attack" / "cases").glob("*.toml"):
        for name, table in tomllib.loads(path.read_text(encoding="utf-8")).items():
            if CASE.match(name) and ("why" not in table or table.get("tests")):
                names.add(name)
    return names


def mutations():
    """`mutation LAYER` of every build that leaves a layer out; test_layers.py runs each."""
    text = (ROOT / "cmake" / "CaissonMutations.cmake").read_text(encoding="utf-8")
    return {f"mutation {layer}" for layer in re.search(r"set\(CAISSON_MUTATIONS\s+([^)]*)\)", text)[1].split()}


def registered_files():
    """Paths of fuzz targets and of checks that ctest runs, and of GoogleTest files."""
    lint = (ROOT / "tests" / "lint" / "CMakeLists.txt").read_text(encoding="utf-8")
    names = {f"tests/fuzz/{path.name}" for path in (ROOT / "tests" / "fuzz").glob("*_fuzz.cc")}  # CMake takes each
    names |= {f"tests/lint/check_{name}.py" for name in re.findall(r"caisson_lint\((\w+)", lint)}
    return names | {str(path.relative_to(ROOT)) for path in (ROOT / "tests" / "unit").rglob("*_test.cc")}


def every_test():
    return gtests() | python_tests() | attack_cases() | mutations() | registered_files()
