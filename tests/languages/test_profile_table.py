"""The table in docs/profiles.md says what the daemon lists."""

import json
import os
import subprocess

import profile_table

from support.environment import CAISSON


def test_the_table_of_profiles_is_up_to_date(daemon):
    done = subprocess.run([CAISSON, "profile", "list", "--json"], check=True, capture_output=True,
                          env={**os.environ, "CAISSON_SOCKET": daemon.address})
    listed = json.loads(done.stdout)["profiles"]
    assert profile_table.without_versions(profile_table.written()) == \
        profile_table.without_versions(profile_table.table(listed)), "make it anew with tests/languages/profile_table.py"
    assert all(profile.get("toolchain_version") for profile in listed if profile["name"] != "native")
