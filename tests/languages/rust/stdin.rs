use std::io::{self, BufRead, Read};

fn main() -> io::Result<()> {
    let mut title = String::new();
    io::stdin().lock().read_line(&mut title)?;
    let mut rest = String::new();
    io::stdin().lock().read_to_string(&mut rest)?;
    let numbers: Vec<i64> = rest.split_whitespace().map(|word| word.parse().unwrap()).collect();
    println!("{}: {} numbers, sum {}", title.trim(), numbers.len(), numbers.iter().sum::<i64>());
    Ok(())
}
