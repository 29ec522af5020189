//! An answer that nobody judged has no readable body.
use bailiwick::policy::guard::Unguarded;

fn read(answer: Unguarded) -> Vec<u8> {
    answer.body
}

fn take(answer: Unguarded) -> Vec<u8> {
    answer.into_body()
}

fn main() {}
