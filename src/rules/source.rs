//! Where rule files come from: the binary, or a folder.

use include_dir::{Dir, include_dir};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

static SHIPPED: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/rules");

/// The shipped files: names from the folder, and texts.
pub fn embedded() -> Vec<(String, String)> {
    let mut files = Vec::new();
    let mut folders = vec![&SHIPPED];
    while let Some(folder) = folders.pop() {
        folders.extend(folder.dirs());
        for file in folder.files() {
            let name = file.path().to_string_lossy().replace('\\', "/");
            if let Some(text) = file.contents_utf8().filter(|_| is_ours(Path::new(&name))) {
                files.push((name, text.to_owned()));
            }
        }
    }
    files.sort();
    files
}

/// The files of a folder and of the folders below it, in the same form. Hidden files and folders are left out:
/// editors put their half-written copies there.
pub fn read_dir(root: &Path) -> Result<Vec<(String, String)>, Unreadable> {
    let mut files = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        let unreadable = |cause| Unreadable { path: folder.clone(), cause };
        for entry in fs::read_dir(&folder).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.')) {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if is_ours(&path) {
                let text = fs::read_to_string(&path).map_err(|cause| Unreadable { path: path.clone(), cause })?;
                let name = path.strip_prefix(root).unwrap_or(&path);
                files.push((name.to_string_lossy().replace('\\', "/"), text));
            }
        }
    }
    files.sort();
    Ok(files)
}

/// A rules folder, or a file in it, that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read `{}`: {cause}; check that it exists and that this program may read it", path.display())]
pub struct Unreadable {
    pub path: PathBuf,
    #[source]
    pub cause: io::Error,
}

/// Rule files, the catalogue, and JSON files of fixtures; not the generated schemas.
fn is_ours(path: &Path) -> bool {
    let name = path.to_string_lossy();
    let ends = |end: &str| path.extension().is_some_and(|found| found == end);
    ends("toml")
        || path.file_name().is_some_and(|name| name == "catalogue.jsonl")
        || (ends("json") && !name.ends_with(".schema.json"))
}
