// Files, collections, text, local sockets, time, deep recursion.
use std::collections::{BTreeMap, BinaryHeap, HashMap, HashSet, VecDeque};
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{symlink, FileExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::rc::Rc;
use std::time::SystemTime;
use std::{env, thread};

fn files() -> std::io::Result<()> {
    let root = env::temp_dir().join("tree");
    fs::create_dir_all(root.join("deep/er"))?;
    env::set_current_dir(&root)?;
    fs::write("a.txt", "zeile\n".repeat(20_000))?;
    fs::copy("a.txt", "b.txt")?;
    fs::rename("b.txt", "c.txt")?;
    symlink("a.txt", "link")?;
    fs::hard_link("a.txt", "hard")?;
    fs::set_permissions("hard", fs::Permissions::from_mode(0o640))?;
    assert_eq!(fs::metadata("hard")?.len(), 120_000);
    assert_eq!(fs::canonicalize("link")?, root.join("a.txt"));
    assert_eq!(fs::read_dir(".")?.count(), 5);
    let mut file = OpenOptions::new().read(true).write(true).create(true).open("data")?;
    write!(file, "hello world")?;
    file.seek(SeekFrom::Start(6))?;
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    let mut part = [0; 5];
    file.read_exact_at(&mut part, 0)?;
    assert_eq!((text.as_str(), &part), ("world", b"hello"));
    file.set_len(5)?;
    file.sync_all()?;
    file.sync_data()?;
    assert_eq!(BufReader::new(File::open("a.txt")?).lines().count(), 20_000);
    assert!(File::create("/usr/x").is_err() && File::open("absent").is_err());
    env::set_current_dir("/")?;
    fs::remove_dir_all(root)
}

fn sockets() -> std::io::Result<()> {
    let (mut left, mut right) = UnixStream::pair()?;
    left.write_all(b"pair")?;
    let mut four = [0; 4];
    right.read_exact(&mut four)?;
    let server = UnixListener::bind("/tmp/server")?;
    let echo = thread::spawn(move || {
        let (mut stream, _) = server.accept().unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        stream.write_all(text.as_bytes()).unwrap();
    });
    let mut client = UnixStream::connect("/tmp/server")?;
    client.write_all(b"echo")?;
    client.shutdown(std::net::Shutdown::Write)?;
    let mut text = String::new();
    client.read_to_string(&mut text)?;
    echo.join().unwrap();
    assert_eq!((&four, text.as_str()), (b"pair", "echo"));
    Ok(())
}

#[inline(never)]
fn deep(n: u64) -> u64 {
    if n == 0 {
        0
    } else {
        1 + deep(n - 1)
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    files()?;
    sockets()?;
    let mut state = 1u64;
    let mut values: Vec<u64> = (0..1_000_000)
        .map(|_| {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            state >> 33
        })
        .collect();
    values.sort_unstable();
    assert!(values.windows(2).all(|pair| pair[0] <= pair[1]));
    let counts = values.iter().fold(HashMap::new(), |mut counts, value| {
        *counts.entry(value % 100).or_insert(0) += 1;
        counts
    });
    assert_eq!(counts.len(), 100);
    let tree: BTreeMap<_, _> = values.iter().take(1000).map(|value| (value, value.to_string())).collect();
    assert!(tree.keys().next().is_some() && tree.values().collect::<HashSet<_>>().len() == tree.len());
    let mut heap: BinaryHeap<_> = [3, 1, 2].into_iter().collect();
    assert_eq!(heap.pop(), Some(3));
    assert_eq!(VecDeque::from([1, 2]).pop_back(), Some(2));
    assert_eq!(("ü".to_uppercase().as_str(), "a,b".split(',').count(), *Rc::new(25)), ("Ü", 2, 25));
    assert_eq!(format!("{:05.1}|{:<4}|{:x}", 3.14159, "ab", 255), "003.1|ab  |ff");
    assert!("x".parse::<i32>().is_err() && u8::try_from(300).is_err() && 200u8.checked_add(100).is_none());
    assert!(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_secs() > 1_700_000_000);
    assert_eq!((deep(50_000), env::var("HOME")?.as_str()), (50_000, "/box"));
    println!("ok");
    Ok(())
}
