#!/usr/bin/python3
"""Writes the hand-made seeds of gateway_json_fuzz. The first byte says what the rest is: a run, a message, a job of Piston's, a range."""
import pathlib

FOLDER = pathlib.Path(__file__).resolve().parent / "corpus" / "gateway_json"
SEEDS = {
    "execute": b'\0{"profile":"python","files":[{"path":"a","text":"x"},{"path":"b","content":"AP8="}],"stdin_text":"in","limits":{"pids":"7"},'
               b'"env":{"A":"b"},"labels":{},"output_overflow":"OUTPUT_OVERFLOW_KILL","priority":-3}',
    "execute_twice": b'\0{"stdin":"","stdin_text":"","files":[{"text":1},{"text":"","content":""}]}',
    "execute_unknown": b'\0{"nothing\\u0000":1}',
    "execute_not_utf8": b'\0{"profile":"\xff"}',
    "execute_deep": b"\0" + b"[" * 20 + b"]" * 20,
    "interact_open": b'\1{"open":{"request":{"profile":"c","stdin_text":"a"},"terminal":{"rows":3},"files_to_follow":1}}',
    "interact_file": b'\1{"file":{"path":"a","text":"b","last":true}}',
    "interact_resize": b'\1{"resize":{"rows":1,"columns":4294967295}}',
    "interact_signal": b'\1{"signal":{"name":"INT"}}',
    "interact_both": b'\1{"eof":{},"cancel":{}}',
    "interact_wrong": b'\1{"open":1,"file":[]}',
    "piston": b'\2{"language":"py","version":"3.x","files":[{"content":"x"},{"name":"b","content":"AP8=","encoding":"base64"},'
              b'{"content":"00ff","encoding":"hex"}],"args":["1"],"stdin":"a","run_timeout":3000,"run_memory_limit":-1,"compile_timeout":1e4}',
    "piston_compiled": b'\2{"language":"g++","version":"*","files":[{"name":"code","content":""}],"run_cpu_time":0.5,"run_memory_limit":300000}',
    "piston_too_much": b'\2{"language":"file","version":"^3","files":[{"content":"!","encoding":"base64"}],"run_timeout":1e300}',
    "piston_wrong": b'\2{"language":1,"version":null,"files":{}}',
    **{f"range_{number}": b"\3" + text for number, text in enumerate([
        b"3.x", b"^3.2 || 4", b">= 1 <4.0.0", b"1 - 3.12", b"~3.11.1", b"4:12.2.0-3", b"*", b">*", b"", b"1.2.3-beta", b"99999999999"])},
}

FOLDER.mkdir(parents=True, exist_ok=True)
for name, data in SEEDS.items():
    (FOLDER / name).write_bytes(data)
