"""Every allowed rule is needed by a named workload, or says in its `why` of which needed call it is a sibling.

Run as: needed_rules_test.py
"""

import unittest

import rules

ALLOWING = {"allow", "count"}


def needed_by(rule, workloads):
    """The first "profile program" that makes a call which this rule lets through, or None."""
    for profile, calls in workloads.items():
        for call, arguments, program in calls:
            if call in rule.calls and rule.fits(arguments):
                return f"{profile} {program}"
    return None


def complaints(by_profile, workloads):
    """One line for each rule that nobody needs. `by_profile`: {profile: [Rule]}."""
    having = {}
    for profile, its_rules in by_profile.items():
        for rule in its_rules:
            if rule.action in ALLOWING:
                having.setdefault(rule, set()).add(profile)
    used = {name: {call for call, _, _ in calls} for name, calls in workloads.items()}
    found = []
    for rule, profiles in having.items():
        for call in rule.calls:
            one = rules.Rule(rule.place, (call,), rule.action, rule.why, rule.conditions)
            if needed_by(one, {name: workloads.get(name, []) for name in profiles}):
                continue
            sibling = rules.SIBLING.search(rule.why)
            if not sibling:
                found.append(f"{rule.place}: {call}: no workload makes this call, and its why names no sibling")
            elif not any(sibling[1] in used.get(name, ()) for name in profiles):
                found.append(f"{rule.place}: {call}: it is called a sibling of {sibling[1]}, which no workload makes either")
    return sorted(found)


class NeededRulesTest(unittest.TestCase):
    def test_every_allowed_rule_is_needed_or_a_sibling(self):
        by_profile = {name: [*rules.rules_of(name), *rules.rules_of(name, "compile")] for name in rules.names()}
        by_profile[rules.TERMINAL] = rules.groups()[rules.TERMINAL]
        workloads = {name: rules.workload(name) for name in by_profile}
        self.assertEqual([name for name, calls in workloads.items() if not calls], [], "profiles without a traced workload")
        self.assertEqual("\n".join(complaints(by_profile, workloads)), "")

    def test_what_is_refused_is_in_no_workload_but_as_a_probe(self):
        """A recorded call that no rule allows would be a denial, and the languages' tests have none."""
        for name in [*rules.names(), rules.TERMINAL]:
            for call, arguments, program in rules.workload(name):
                profile = "bash" if name == rules.TERMINAL else name
                both = [*rules.rules_of(profile), *rules.rules_of(profile, "compile"), *(rules.groups()[name] if name == rules.TERMINAL else [])]
                fitting = [rule for rule in both if call in rule.calls and rule.fits(arguments)
                           and rule.action not in ("deny", "kill")]
                self.assertTrue(fitting, f"{name} {program}: {call} {arguments} is refused")

    def test_an_unneeded_rule_is_found(self):
        def rule(call, why, **more):
            return rules.Rule("test", (call,), more.pop("action", "allow"), why, more.pop("conditions", ()))

        workloads = {"p": [("read", {}, "a"), ("fcntl", {1: 4}, "a")]}
        four = ((1, 0xFFFFFFFF, frozenset({4})),)
        five = ((1, 0xFFFFFFFF, frozenset({5})),)
        good = [rule("read", "x"), rule("pread64", "sibling of read"), rule("fcntl", "x", conditions=four),
                rule("ptrace", "x", action="kill")]
        self.assertEqual(complaints({"p": good}, workloads), [])
        for bad in (rule("write", "every write"), rule("write", "sibling of pwrite64"), rule("fcntl", "x", conditions=five),
                    rule("fcntl", "x", action="count", conditions=five)):
            self.assertEqual(len(complaints({"p": [*good, bad]}, workloads)), 1, bad)
        self.assertEqual(len(complaints({"p": good, "q": [rule("read", "x")]}, workloads)), 0)
        self.assertEqual(len(complaints({"q": [rule("read", "x")]}, workloads)), 1, "another profile's workload does not count")


if __name__ == "__main__":
    unittest.main()
