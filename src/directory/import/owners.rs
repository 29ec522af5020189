//! Queue ownership from a table of the workforce system: one owner of one queue in each line.

use super::Import;
use crate::directory::{
    file::{Queue, QueueState},
    problem::{Problem, Source, closest},
};
use std::collections::{BTreeMap, HashMap};

/// Up to this many people a near miss is looked for.
const NEAR: usize = 20_000;

/// What the columns may be called; compared without case, spaces and underscores.
const QUEUE: &[&str] = &["queueid", "queue"];
const OWNER: &[&str] = &["ownerid", "owner", "owneremail", "userid", "useremail"];
const NAME: &[&str] = &["queuename"];
const DIVISION: &[&str] = &["divisionid", "division"];

struct Columns {
    queue: usize,
    owner: usize,
    name: Option<usize>,
    division: Option<usize>,
}

impl Columns {
    fn of(header: &csv::StringRecord) -> Option<Self> {
        let fold = |name: &str| name.trim_start_matches('\u{feff}').replace(['_', ' '], "").to_ascii_lowercase();
        let header: Vec<String> = header.iter().map(fold).collect();
        let find = |names: &[&str]| names.iter().find_map(|name| header.iter().position(|column| column == name));
        Some(Self { queue: find(QUEUE)?, owner: find(OWNER)?, name: find(NAME), division: find(DIVISION) })
    }
}

pub(super) fn read(import: &mut Import, source: &Source<'_>) {
    let first = source.text.lines().next().unwrap_or_default();
    let delimiter = if first.contains(';') && !first.contains(',') { b';' } else { b',' };
    let mut table =
        csv::ReaderBuilder::new().delimiter(delimiter).trim(csv::Trim::All).from_reader(source.text.as_bytes());
    let columns = match table.headers() {
        Ok(header) => Columns::of(header),
        Err(_) => None,
    };
    let Some(columns) = columns else {
        let what = "the first line names no queue or no owner column".to_owned();
        let repair = "begin with a line such as `queueId,ownerId`, in UTF-8".to_owned();
        import.problems.push(Problem::at(source, 0..1, None, what, repair));
        return;
    };
    let people = People::of(import);
    let mut queues: HashMap<String, usize> =
        import.file.queues.iter().enumerate().map(|(nth, queue)| (queue.id.clone(), nth)).collect();
    for record in table.records() {
        let place = record.as_ref().map_or_else(csv::Error::position, csv::StringRecord::position);
        let offset = place.map_or(0, |at| usize::try_from(at.byte()).unwrap_or(0));
        let told = match record {
            Ok(record) => line(import, &columns, &people, &mut queues, &record),
            Err(fault) => Err((told(&fault), "give every line as many fields as the first".to_owned())),
        };
        if let Err((what, repair)) = told {
            import.problems.push(Problem::at(source, offset..offset + 1, None, what, repair));
        }
    }
}

/// Takes one line over; otherwise what is wrong with it, and the repair.
fn line(
    import: &mut Import,
    columns: &Columns,
    people: &People,
    queues: &mut HashMap<String, usize>,
    record: &csv::StringRecord,
) -> Result<(), (String, String)> {
    let cell = |column: usize| record.get(column).unwrap_or_default();
    let (id, owner) = (cell(columns.queue), cell(columns.owner));
    let owner = people.find(owner).ok_or_else(|| {
        let near = closest(owner, people.ids.keys().take(NEAR).map(String::as_str));
        let repair = near.map_or_else(|| "import the person too".to_owned(), |near| format!("did you mean `{near}`?"));
        (format!("there is no user with the id or mail address `{owner}`"), repair)
    })?;
    let division = columns.division.map(cell).filter(|division| !division.is_empty() && !id.is_empty());
    let at = match (queues.get(id), division) {
        (Some(at), _) => *at,
        (None, Some(division)) => {
            queues.insert(id.to_owned(), import.file.queues.len());
            import.file.queues.push(new_queue(id, columns.name.map_or("", cell), division));
            import.file.queues.len() - 1
        }
        (None, None) => {
            let repair = "import the queue too, or add a `divisionId` column".to_owned();
            return Err((format!("there is no queue `{id}`"), repair));
        }
    };
    if let Some(queue) = import.file.queues.get_mut(at)
        && !queue.owners.iter().any(|known| known == owner)
    {
        queue.owners.push(owner.to_owned());
    }
    Ok(())
}

fn told(fault: &csv::Error) -> String {
    match fault.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("the line has {len} fields, the first has {expected_len}")
        }
        _ => fault.to_string(),
    }
}

/// People by id, and by mail address without case where it belongs to one only.
struct People {
    ids: HashMap<String, Option<String>>,
}

impl People {
    fn of(import: &Import) -> Self {
        let mut ids: HashMap<String, Option<String>> = HashMap::new();
        for user in &import.file.users {
            if let Some(email) = user.email.as_ref().filter(|email| **email != user.id) {
                let mail = super::folded(email);
                ids.entry(mail).and_modify(|known| *known = None).or_insert_with(|| Some(user.id.clone()));
            }
        }
        ids.extend(import.file.users.iter().map(|user| (user.id.clone(), Some(user.id.clone()))));
        Self { ids }
    }

    fn find(&self, owner: &str) -> Option<&str> {
        self.ids.get(owner).or_else(|| self.ids.get(&super::folded(owner)))?.as_deref()
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
