// Threads, channels, locks, processes, panics that are caught.
use std::collections::HashMap;
use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{mpsc, Arc, Barrier, Condvar, Mutex, Once, RwLock};
use std::thread;
use std::time::{Duration, Instant};

fn main() {
    let counter = Arc::new(AtomicU64::new(0));
    let shared = Arc::new(Mutex::new(HashMap::new()));
    let barrier = Arc::new(Barrier::new(16));
    let threads: Vec<_> = (0..16)
        .map(|n| {
            let (counter, shared, barrier) = (counter.clone(), shared.clone(), barrier.clone());
            thread::Builder::new()
                .name(format!("worker-{}", n))
                .spawn(move || {
                    barrier.wait();
                    for i in 0..1000 {
                        counter.fetch_add(1, Ordering::Relaxed);
                        *shared.lock().unwrap().entry(i % 10).or_insert(0) += 1;
                    }
                    n * n
                })
                .unwrap()
        })
        .collect();
    let squares: u64 = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
    assert_eq!((squares, counter.load(Ordering::SeqCst), shared.lock().unwrap()[&3]), (1240, 16000, 1600));

    let (sender, receiver) = mpsc::channel();
    for n in 0..4 {
        let sender = sender.clone();
        thread::spawn(move || sender.send(n).unwrap());
    }
    drop(sender);
    assert_eq!(receiver.iter().sum::<i32>(), 6);
    let mut numbers = vec![1, 2, 3];
    thread::scope(|scope| {
        scope.spawn(|| numbers.push(4));
    });
    assert_eq!(numbers.len(), 4);
    let pair = Arc::new((Mutex::new(false), Condvar::new()));
    let waker = pair.clone();
    thread::spawn(move || {
        *waker.0.lock().unwrap() = true;
        waker.1.notify_all();
    });
    let mut ready = pair.0.lock().unwrap();
    while !*ready {
        ready = pair.1.wait_timeout(ready, Duration::from_secs(5)).unwrap().0;
    }
    assert!(*RwLock::new(true).read().unwrap());
    static ONCE: Once = Once::new();
    ONCE.call_once(|| ());
    std::panic::set_hook(Box::new(|_| ()));
    assert!(thread::spawn(|| panic!("caught by join")).join().is_err());
    assert!(std::panic::catch_unwind(|| panic!("caught")).is_err());

    let output = Command::new("/bin/sh").args(["-c", "echo out; echo err >&2; exit 3"]).output().unwrap();
    assert_eq!((output.stdout.as_slice(), output.stderr.as_slice(), output.status.code()), (&b"out\n"[..], &b"err\n"[..], Some(3)));
    let mut cat = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    cat.stdin.take().unwrap().write_all(b"through").unwrap();
    let mut text = String::new();
    cat.stdout.take().unwrap().read_to_string(&mut text).unwrap();
    assert!(cat.wait().unwrap().success() && text == "through");
    let mut sleeper = Command::new("/bin/sleep").arg("60").spawn().unwrap();
    sleeper.kill().unwrap();
    assert_eq!(sleeper.wait().unwrap().code(), None);
    let before = Instant::now();
    thread::sleep(Duration::from_millis(2));
    assert!(before.elapsed() >= Duration::from_millis(2) && thread::available_parallelism().is_ok());
    println!("ok");
}
