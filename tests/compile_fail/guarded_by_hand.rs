//! Only the guard says that every row was judged.
use bailiwick::policy::guard::Guarded;

fn forge() -> Guarded {
    Guarded { status: 200, body: Vec::new(), rows_in: 0, rows_out: 0, rows_foreign: 0, notices: Vec::new() }
}

fn main() {}
