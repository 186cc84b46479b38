pub fn part() -> i32 {
    42
}
