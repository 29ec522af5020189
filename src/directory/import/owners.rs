//! Queue ownership from a table of the workforce system: one owner of one queue in each line.

use super::Import;
use crate::directory::{
    file::{Queue, QueueState},
    problem::{Problem, Source, closest},
};
use std::collections::{BTreeMap, HashMap};

/// What the columns may be called; compared without case, spaces and underscores.
const QUEUE: &[&str] = &["queueid", "queue"];
const OWNER: &[&str] = &["ownerid", "owner", "owneremail", "userid", "useremail"];
const NAME: &[&str] = &["queuename"];
const DIVISION: &[&str] = &["divisionid", "division"];

pub(super) fn read(import: &mut Import, source: &Source<'_>) {
    let first = source.text.lines().next().unwrap_or_default();
    let delimiter = if first.contains(';') && !first.contains(',') {
        b';'
    } else {
        b','
    };
    let mut table = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .trim(csv::Trim::All)
        .from_reader(source.text.as_bytes());
    let header: Vec<String> = match table.headers() {
        Ok(header) => header
            .iter()
            .map(|name| {
                name.trim_start_matches('\u{feff}')
                    .replace(['_', ' '], "")
                    .to_ascii_lowercase()
            })
            .collect(),
        Err(fault) => {
            return import.problems.push(Problem::whole(
                source.name,
                format!("the table cannot be read: {fault}"),
                "save it as CSV in UTF-8",
            ));
        }
    };
    let column = |names: &[&str]| {
        names
            .iter()
            .find_map(|name| header.iter().position(|column| column == name))
    };
    let (Some(queue), Some(owner)) = (column(QUEUE), column(OWNER)) else {
        let what = "the first line names no queue or no owner column".to_owned();
        import.problems.push(Problem::at(
            source,
            0..1,
            None,
            what,
            "begin with a line such as `queueId,ownerId`".to_owned(),
        ));
        return;
    };
    let (name, division) = (column(NAME), column(DIVISION));
    let people = People::of(import);
    let mut queues: HashMap<String, usize> = import
        .file
        .queues
        .iter()
        .enumerate()
        .map(|(nth, queue)| (queue.id.clone(), nth))
        .collect();
    for record in table.records() {
        let record = match record {
            Ok(record) => record,
            Err(fault) => {
                let offset = fault
                    .position()
                    .map_or(0, |at| usize::try_from(at.byte()).unwrap_or(0));
                import.problems.push(Problem::at(
                    source,
                    offset..offset + 1,
                    None,
                    told(&fault),
                    "give every line as many fields as the first".to_owned(),
                ));
                continue;
            }
        };
        let offset = record
            .position()
            .map_or(0, |at| usize::try_from(at.byte()).unwrap_or(0));
        let cell = |column: usize| record.get(column).unwrap_or_default();
        let id = cell(queue);
        let mut fault = |what: String, repair: String| {
            import.problems.push(Problem::at(
                source,
                offset..offset + 1,
                Some(id),
                what,
                repair,
            ))
        };
        let Some(owner) = people.find(cell(owner)) else {
            let near = closest(
                cell(owner),
                people.ids.keys().take(20_000).map(String::as_str),
            );
            let repair = near.map_or_else(
                || "import the person too".to_owned(),
                |near| format!("did you mean `{near}`?"),
            );
            fault(
                format!(
                    "there is no user with the id or mail address `{}`",
                    cell(owner)
                ),
                repair,
            );
            continue;
        };
        let at = match (
            queues.get(id),
            division.map(cell).filter(|division| !division.is_empty()),
        ) {
            (Some(at), _) => *at,
            (None, Some(division)) if !id.is_empty() => {
                queues.insert(id.to_owned(), import.file.queues.len());
                import
                    .file
                    .queues
                    .push(new_queue(id, name.map_or("", cell), division));
                import.file.queues.len() - 1
            }
            (None, _) => {
                fault(
                    format!("there is no queue `{id}`"),
                    "import the queue too, or add a `divisionId` column".to_owned(),
                );
                continue;
            }
        };
        if let Some(queue) = import
            .file
            .queues
            .get_mut(at)
            .filter(|queue| !queue.owners.iter().any(|known| known == owner))
        {
            queue.owners.push(owner.to_owned());
        }
    }
}

fn told(fault: &csv::Error) -> String {
    match fault.kind() {
        csv::ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => format!("the line has {len} fields, the first has {expected_len}"),
        _ => fault.to_string(),
    }
}

/// People by id, and by mail address where it belongs to one only.
struct People {
    ids: HashMap<String, Option<String>>,
}

impl People {
    fn of(import: &Import) -> Self {
        let mut ids: HashMap<String, Option<String>> = HashMap::new();
        for user in &import.file.users {
            if let Some(email) = user.email.as_ref().filter(|email| **email != user.id) {
                ids.entry(email.clone())
                    .and_modify(|known| *known = None)
                    .or_insert_with(|| Some(user.id.clone()));
            }
        }
        ids.extend(
            import
                .file
                .users
                .iter()
                .map(|user| (user.id.clone(), Some(user.id.clone()))),
        );
        Self { ids }
    }

    fn find(&self, owner: &str) -> Option<&str> {
        self.ids.get(owner)?.as_deref()
    }
}

fn new_queue(id: &str, name: &str, division: &str) -> Queue {
    Queue {
        id: id.to_owned(),
        name: name.to_owned(),
        division: division.to_owned(),
        state: QueueState::Active,
        moved: false,
        restricted: false,
        members: Vec::new(),
        member_groups: Vec::new(),
        owners: Vec::new(),
        folder: None,
        read_list: None,
        attributes: BTreeMap::new(),
    }
}
