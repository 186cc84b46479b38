fn inner(values: &[i32]) -> i32 {
    values[values.len() + 2]
}

fn outer() -> i32 {
    inner(&[1])
}

fn main() {
    println!("{}", outer());
}
