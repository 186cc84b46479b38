"""Every shipped profile, the syscall groups and the example configuration fit their JSON Schemas, and the schemas bite.

Run as: profile_schema_test.py SOURCE_DIRECTORY
"""
import copy
import json
import pathlib
import sys
import unittest

import jsonschema

SOURCE = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")


def load(path):
    return json.loads((SOURCE / path).read_text(encoding="utf-8"))


def validator(schema):
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


class ProfileSchemaTest(unittest.TestCase):
    def setUp(self):
        self.schema = load("profiles/schema.json")
        self.profiles = validator(self.schema)
        groups = {"$ref": "#/$defs/syscall_groups_file", "$defs": self.schema["$defs"]}
        self.groups = validator(groups)

    def test_every_profile_is_valid(self):
        names = sorted(p.name for p in (SOURCE / "profiles").glob("*.json"))
        names = [n for n in names if n not in ("schema.json", "syscall-groups.json")]
        self.assertIn("python.json", names)
        for name in names:
            with self.subTest(name):
                self.profiles.validate(load(f"profiles/{name}"))

    def test_the_example_policies_are_valid_and_faults_are_not(self):
        policies = validator(load("deploy/tenant-policy.schema.json"))
        for name in ("base", "web"):
            policies.validate(load(f"deploy/tenants/{name}.json"))
        web = load("deploy/tenants/web.json")
        for fault in ({"weight": 0}, {"profiles": []}, {"quotas": {"concurrent_runs": -1}}, {"quotas": {"runs": 1}},
                      {"ceilings": {"memory_bytes": 1}}, {"tenant": "Web"}, {"schema_version": 2},
                      {"tests": [{"name": "x", "profile": "python"}]}):
            self.assertFalse(policies.is_valid({**web, **fault}), fault)

    def test_the_example_for_tls_is_a_valid_configuration(self):
        validator(load("deploy/caissond.schema.json")).validate(load("deploy/tls/caissond.json"))

    def test_tokens_are_valid_and_faults_are_not(self):
        tokens = validator(load("deploy/tokens.schema.json"))
        entry = {"id": "0123456789ab", "sha256": "0" * 64, "tenant": "web", "role": "run", "expires": "2027-03-01T12:00:00Z"}
        tokens.validate({"schema_version": 1, "tokens": [entry, {**entry, "role": "observe", "note": "the site"}]})
        for fault in ({"id": "0123456789AB"}, {"sha256": "0"}, {"tenant": "Web"}, {"role": "operator"}, {"expires": "never"},
                      {"note": "a\nb"}, {"secret": "x"}):
            self.assertFalse(tokens.is_valid({"schema_version": 1, "tokens": [{**entry, **fault}]}), fault)

    def test_the_groups_are_valid(self):
        self.groups.validate(load("profiles/syscall-groups.json"))

    def test_faults_are_not_valid(self):
        def with_run(**keys):
            profile = copy.deepcopy(load("profiles/python.json"))
            profile["steps"]["run"].update(keys)
            return profile

        def with_compile(outputs):
            profile = copy.deepcopy(load("profiles/python.json"))
            profile["steps"]["compile"] = {"command": ["/usr/bin/cc", "{sources}"], "outputs": outputs}
            return profile

        self.profiles.validate(with_run())
        self.profiles.validate(with_compile(["main", "."]))
        faults = {
            "unknown key": {**load("profiles/python.json"), "nmae": "x"},
            "schema version": {**load("profiles/python.json"), "schema_version": 2},
            "name": {**load("profiles/python.json"), "name": "Python"},
            "unknown step key": with_run(mount=[]),
            "mount without why": with_run(mounts=[{"source": "/opt"}]),
            "relative mount": with_run(mounts=[{"source": "opt", "why": "w"}]),
            "interactive": {**load("profiles/python.json"), "interactive": "yes"},
            "network": with_run(network="host"),
            "outputs of a run": with_run(outputs=["a"]),
            "outputs that lead away": with_compile(["/etc"]),
            "no outputs at all": with_compile([]),
            "hint without a placeholder": with_run(limit_hints=[{"argument": "-Xmx1m", "why": "w"}]),
            "hint without why": with_run(limit_hints=[{"argument": "-Xmx{memory_mib}m"}]),
            "hint of two kinds": with_run(
                limit_hints=[{"argument": "{cpus}", "variable": "A", "value": "{cpus}", "why": "w"}]),
            "library without a probe": {**load("profiles/python.json"), "packages": {"numpy": {"package": "p"}}},
            "unknown limit": with_run(limits={"wall_time": {"default": 1}}),
            "zero limit": with_run(limits={"pids": {"default": 0}}),
            "rule without why": with_run(syscalls={"rules": [{"name": "read"}]}),
            "name and names": with_run(syscalls={"rules": [{"name": "read", "names": ["read"], "why": "w"}]}),
            "value and values": with_run(
                syscalls={"rules": [{"name": "read", "why": "w", "args": [{"index": 0, "value": 1, "values": [1]}]}]}
            ),
        }
        for what, fault in faults.items():
            with self.subTest(what):
                self.assertFalse(self.profiles.is_valid(fault))

    def test_a_group_entry_without_a_reason_is_not_valid(self):
        groups = load("profiles/syscall-groups.json")
        groups["groups"]["memory"]["calls"]["brk"] = ""
        self.assertFalse(self.groups.is_valid(groups))


class ConfigurationSchemaTest(unittest.TestCase):
    def setUp(self):
        self.schema = load("deploy/caissond.schema.json")
        self.configuration = validator(self.schema)
        self.example = load("deploy/caissond.json")

    def test_the_example_is_valid(self):
        self.configuration.validate(self.example)

    def test_the_example_shows_every_key_with_its_default(self):
        self.assertEqual(set(self.example), set(self.schema["properties"]))
        for key, rule in self.schema["properties"].items():
            if "default" in rule:
                self.assertEqual(self.example[key], rule["default"], key)

    def test_faults_are_not_valid(self):
        for key, value in {
            "socket": "tcp:0.0.0.0:1",
            "user": "root",
            "id_first": 0,
            "queue_length": 0,
            "memory_budget_bytes": 1,
            "log_level": "loud",
            "accepted_degradations": ["no_seccomp"],
            "sokcet": "x",
        }.items():
            with self.subTest(key):
                self.assertFalse(self.configuration.is_valid({**self.example, key: value}))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
