"""The table in docs/profiles.md says what the daemon lists, and names the programs that test_languages.py runs."""

import profile_table
import programs


def test_the_table_of_profiles_is_up_to_date(daemon):
    listed = programs.Caisson(daemon.address).profiles()
    assert profile_table.without_versions(profile_table.written()) == \
        profile_table.without_versions(profile_table.table(listed)), "make it anew: make profile-report"


def test_every_installed_toolchain_has_a_version(daemon):
    listed = programs.Caisson(daemon.address).profiles()
    assert [name for name, profile in listed.items() if profile["available"] and name != "native" and not profile.get("toolchain_version")] == []


def test_the_table_tells_everything_but_versions_apart():
    row = "| `lua` | Lua | lua5.4 5.4.4-3+deb12u1 | `x` | run 128 | hello |\n"
    assert profile_table.without_versions(row) == profile_table.without_versions(row.replace("5.4.4-3+deb12u1", "5.4.6-1"))
    for other in ("`luas`", "Lua 5", "lua5.5 1", "`y`", "run 129", "hello, stdin"):
        cells = ["`lua`", "Lua", "lua5.4 1", "`x`", "run 128", "hello"]
        changed = [other if cell[:2] == other[:2] or (other == "`y`" and cell == "`x`") else cell for cell in cells]
        assert changed != cells
        assert profile_table.without_versions("| " + " | ".join(changed) + " |\n") != \
            profile_table.without_versions("| " + " | ".join(cells) + " |\n"), other
