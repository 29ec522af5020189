//! Permission objects of older systems and the queues that they mean.
//!
//! The one place where a queue is looked for by its name, and only while a file is loaded: from then on ids decide.
//! Whatever is not clear binds nothing.

use super::file::DirectoryFile;
use std::collections::HashMap;

/// Which queue each permission object is the read list of, by their places in the file.
#[derive(Debug, Default)]
pub(super) struct Bindings {
    /// The one object of a queue.
    pub(super) of_queue: HashMap<usize, usize>,
    /// Queues that several objects could mean, or that say who reads them a second time.
    pub(super) unclear: Vec<usize>,
    /// Objects that mean several queues, or one that another object means too.
    pub(super) ambiguous: Vec<usize>,
    /// Objects that mean no queue.
    pub(super) loose: Vec<usize>,
}

impl Bindings {
    pub(super) fn of(file: &DirectoryFile) -> Self {
        let mut bindings = Self::default();
        if file.permission_objects.is_empty() {
            return bindings;
        }
        let mut named: HashMap<&str, Vec<usize>> = HashMap::new();
        for (nth, queue) in file.queues.iter().enumerate() {
            named.entry(&queue.id).or_default().push(nth);
            if queue.name != queue.id {
                named.entry(&queue.name).or_default().push(nth);
            }
        }
        let mut claimed: HashMap<usize, Vec<usize>> = HashMap::new();
        for (nth, object) in file.permission_objects.iter().enumerate() {
            let meant: Vec<usize> = match &object.queue {
                Some(id) => {
                    let here = named.get(id.as_str()).into_iter().flatten().copied();
                    here.filter(|queue| file.queues.get(*queue).is_some_and(|queue| queue.id == *id)).collect()
                }
                None => queue_of(&object.name).and_then(|name| named.get(name)).cloned().unwrap_or_default(),
            };
            if meant.is_empty() {
                bindings.loose.push(nth);
            }
            let several = meant.len() > 1;
            if several {
                bindings.ambiguous.push(nth);
            }
            for queue in meant {
                claimed.entry(queue).or_default().push(nth);
                if several {
                    bindings.unclear.push(queue);
                }
            }
        }
        for (queue, objects) in claimed {
            let own = file.queues.get(queue).is_some_and(|queue| queue.read_list.is_some());
            match objects.as_slice() {
                [only] if !own => {
                    bindings.of_queue.insert(queue, *only);
                }
                _ => {
                    bindings.unclear.push(queue);
                    bindings.ambiguous.extend(objects);
                }
            }
        }
        for list in [&mut bindings.unclear, &mut bindings.ambiguous] {
            list.sort_unstable();
            list.dedup();
        }
        bindings.of_queue.retain(|queue, _| bindings.unclear.binary_search(queue).is_err());
        bindings
    }
}

/// What stands behind the prefix.
pub(super) fn queue_of(name: &str) -> Option<&str> {
    name.split_once('_').filter(|(prefix, queue)| !prefix.is_empty() && !queue.is_empty()).map(|(_, queue)| queue)
}
