//! Growth that must be flat: instructions per request as rules, divisions and unrelated queues grow from 10 to 10,000.
//!
//! `cargo bench --bench growth` runs itself under callgrind (Debian package `valgrind`), which counts instructions and
//! not time. The cost of building the world cancels out: each figure is the difference of two runs of the same world.
//! Exits 1 when one grows by more than three percent.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::let_underscore_must_use,
    clippy::print_stdout,
    clippy::expect_used,
    clippy::cast_precision_loss,
    dead_code,
    reason = "a bench stops at the first thing that is wrong, and prints what it measured"
)]

mod support;

use std::process::{Command, ExitCode};
use support::{Asking, Size};

const FEW: u64 = 20;
const MANY: u64 = 220;
const SMALL: Size = Size { rules: 10, divisions: 10, unrelated_queues: 10, own_queues: 10 };

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|argument| argument == "--child") {
        child(&arguments[at + 1..]);
        return ExitCode::SUCCESS;
    }
    let large = [
        ("rules", Size { rules: 10_000, ..SMALL }),
        ("divisions", Size { divisions: 10_000, ..SMALL }),
        ("unrelated queues", Size { unrelated_queues: 10_000, ..SMALL }),
    ];
    let base = per_request(SMALL);
    println!("10 of each: {base} instructions per request");
    let mut flat = true;
    for (what, size) in large {
        let cost = per_request(size);
        let growth = (cost as f64 / base as f64 - 1.0) * 100.0;
        flat &= growth < 3.0;
        println!("10,000 {what}: {cost} instructions per request, {growth:+.2} %");
    }
    if flat { ExitCode::SUCCESS } else { ExitCode::from(1) }
}

fn child(arguments: &[String]) {
    let numbers: Vec<usize> = arguments.iter().map(|argument| argument.parse().unwrap()).collect();
    let [rules, divisions, unrelated_queues, own_queues, requests] = numbers[..] else { panic!("five numbers") };
    let asking = Asking::new(Size { rules, divisions, unrelated_queues, own_queues }, false);
    let scope = asking.scope();
    let mut total = 0;
    for _ in 0..requests {
        total += asking.request(&scope);
    }
    assert!(requests == 0 || total > 0);
}

fn per_request(size: Size) -> u64 {
    (instructions(size, MANY) - instructions(size, FEW)) / (MANY - FEW)
}

fn instructions(size: Size, requests: u64) -> u64 {
    let me = std::env::current_exe().unwrap();
    let out = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(me)
        .args(["--child".to_owned(), size.rules.to_string(), size.divisions.to_string()])
        .args([size.unrelated_queues.to_string(), size.own_queues.to_string(), requests.to_string()])
        .output()
        .expect("valgrind runs; install the Debian package `valgrind`");
    let text = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success(), "the asking program failed: {text}");
    let line = text.lines().find(|line| line.contains("Collected :")).unwrap_or_else(|| panic!("no count in {text}"));
    line.rsplit(' ').find_map(|word| word.parse().ok()).expect("a number")
}
