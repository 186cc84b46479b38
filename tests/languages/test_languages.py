"""Every profile runs the programs its users write: each case of <profile>/cases.json, and each profile's hello program, through
`caisson run` and a real daemon. Whatever else happens, no system call may have been refused. See README.md."""

import programs
import pytest


def cases():
    for folder, case in programs.cases():
        yield pytest.param(folder, case, id=f"{case.get('profile', folder)}-{programs.title(case)}")


@pytest.fixture(scope="session")
def caisson(daemon):
    return programs.Caisson(daemon.address)


@pytest.fixture(scope="session")
def offered(caisson):  # pylint: disable=redefined-outer-name
    return caisson.profiles()


@pytest.mark.parametrize("profile, case", cases())
def test_program_runs_as_its_author_expects_and_nothing_is_refused(caisson, offered, tmp_path, profile, case):
    name = case.get("profile", profile)
    if not offered[name]["available"]:
        pytest.skip(f"profile {name}: {offered[name]['unavailable_reason']}")
    found = programs.faults_of(caisson, profile, case, tmp_path)
    if found:
        pytest.fail("\n".join(found), pytrace=False)


def test_every_profile_has_programs_of_its_own(offered):
    assert {profile.get("variant_of", name) for name, profile in offered.items()} == set(programs.FOLDERS)
    assert {name for name in offered if not programs.names(name)} == set()
