"""Sources of test_hostile_sources.py: NAME: (profile, main file, text, what ends it)."""

# What ends a bomb: a limit that stops the compiler, or the compiler itself, which gives up.
A_LIMIT, ITSELF = {"MEMORY_LIMIT", "CPU_TIME_LIMIT", "WALL_TIME_LIMIT"}, {"COMPILE_FAILED"}
BOMBS = {
    "c-macros": ("c", "main.c", "".join(f"#define A{n} A{n + 1} A{n + 1}\n" for n in range(40)) + "#define A40 1+\nint x = A0 1;\nint main(void) {}\n", A_LIMIT),
    "c-include-of-zero": ("c", "main.c", '#include "/dev/zero"\nint main(void) {}\n', A_LIMIT),
    "c-incbin-of-zero": ("c", "main.c", '__asm__(".incbin \\"/dev/zero\\"");\nint main(void) {}\n', ITSELF),
    "c-object-of-256-MiB": ("c", "main.c", "char big[256 << 20] = {1};\nint main(void) { return big[0]; }\n", ITSELF),
    "c-assembler-repeats": ("c", "main.c", '__asm__(".rept 2000000000\\n.quad 1\\n.endr");\nint main(void) {}\n', ITSELF),
    "c-includes-itself": ("c", "main.c", '#include "main.c"\n#include "main.c"\nint main(void) {}\n', A_LIMIT),
    "cpp-templates": ("cpp", "main.cpp", "template <int N, int M> struct T { static const long v = T<N - 1, 2 * M>::v + T<N - 1, 2 * M + 1>::v; };\n"
                                         "template <int M> struct T<0, M> { static const long v = M; };\nint main() { return T<28, 1>::v; }\n", A_LIMIT),
    "cpp-constexpr": ("cpp", "main.cpp", "constexpr long f(long n) { long s = 0; for (long i = 0; i < 250000; ++i) s += i ^ n; return s; }\n"
                      "template <int N> struct S { static constexpr long v = f(N) + S<N - 1>::v; };\n"
                      "template <> struct S<0> { static constexpr long v = 0; };\nint main() { return S<800>::v & 1; }\n", A_LIMIT),
    "go-array-of-4-GiB": ("go", "main.go", 'package main\n\nvar big = [1 << 32]byte{1, 1<<32 - 1: 2}\n\nfunc main() { println(big[0]) }\n', A_LIMIT),
    "rust-macros": ("rust", "main.rs", "#![recursion_limit = \"100000\"]\nmacro_rules! b { ($($t:tt)*) => { b!($($t)* $($t)*) } }\nfn main() { b!(1 +) }\n", A_LIMIT),
    "rust-include-of-zero": ("rust", "main.rs", 'static Z: &[u8] = include_bytes!("/dev/zero");\nfn main() { println!("{}", Z.len()) }\n', A_LIMIT),
    "java-constants": ("java", "Main.java", "class Main {\n" + f'  static final String A0 = "{"x" * 1000}";\n'
                       + "".join(f"  static final String A{n} = A{n - 1} + A{n - 1};\n" for n in range(1, 30)) + "  public static void main(String[] a) { System.out.println(A29); }\n}\n", ITSELF),
}
# What names a file of the host in each language, and what the compiler says then.
QUOTES = {
    "c-include": ("c", "main.c", '#include "{path}"\nint main(void) {{}}\n'),
    "c-incbin": ("c", "main.c", '__asm__(".incbin \\"{path}\\"");\nint main(void) {{}}\n'),
    "c-line": ("c", "main.c", '#line 1 "{path}"\nint main(void) {{ return wrong; }}\n'),
    "cpp-include": ("cpp", "main.cpp", '#include "{path}"\nint main() {{}}\n'),
    "go-embed": ("go", "main.go", 'package main\n\nimport _ "embed"\n\n//go:embed {path}\nvar s string\n\nfunc main() {{ println(s) }}\n'),
    "go-line": ("go", "main.go", 'package main\n\n//line {path}:1\nfunc main() {{ return wrong }}\n'),
    "rust-include-str": ("rust", "main.rs", 'const S: &str = include_str!("{path}");\nfn main() {{ compile_error!("{{}}", S) }}\n'),
    "rust-include": ("rust", "main.rs", 'include!("{path}");\nfn main() {{}}\n'),
    "rust-path": ("rust", "main.rs", '#[path = "{path}"]\nmod host;\nfn main() {{}}\n'),
}
