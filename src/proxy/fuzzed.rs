//! The reader of paths, for whoever looks for paths that it reads otherwise than others.

use super::path::Path;

/// The segments of a path, decoded; `None`: it is refused.
pub fn segments(raw: &str) -> Option<Vec<String>> {
    let path = Path::read(raw).ok()?;
    Some(path.segments().into_iter().map(str::to_owned).collect())
}
