fn main() {
    let text: String = 42;
}
