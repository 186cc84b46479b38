mod part;

fn main() {
    println!("part of {}", part::part());
}
