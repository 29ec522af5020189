//! Schedules, and the answers of their runs, kept for each reader by himself.

use super::Failed;
use crate::model::schedule::{KeptAnswer, Run, RunState, Schedule};
use bytes::Bytes;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, TransactionBehavior, params};

pub(super) const TABLES: &str = "
    create table if not exists schedules (
        region text not null, id text not null, operation text not null, owner_kind text not null, owner text not null,
        name text not null, definition text not null, cron text not null, zone text not null, enabled integer not null,
        rights text not null, version integer not null, changed integer not null, next integer, waiting text not null,
        tries integer not null,
        primary key (region, id)
    ) strict, without rowid;
    create index if not exists schedules_by_owner on schedules (region, owner, owner_kind);
    create index if not exists schedules_by_next on schedules (region, next) where next is not null;
    create table if not exists recipients (
        region text not null, schedule text not null, person text not null, primary key (region, schedule, person),
        foreign key (region, schedule) references schedules (region, id) on delete cascade
    ) strict, without rowid;
    create index if not exists recipients_by_person on recipients (region, person);
    create table if not exists runs (
        region text not null, id text not null, schedule text not null, reader_kind text not null, reader text not null,
        began integer not null, state text not null, code text, decision text, said text, asked blob, sent blob, answer blob,
        primary key (region, id),
        foreign key (region, schedule) references schedules (region, id) on delete cascade
    ) strict, without rowid;
    create index if not exists runs_by_reader on runs (region, schedule, reader, reader_kind, began);
";

/// Of one owner.
pub(super) const MOST: u32 = 20;

/// Bytes that are kept of the runs of one owner's schedules; beyond it the oldest go.
const MOST_BYTES: i64 = 64 * 1024 * 1024;

/// Runs that are kept of one schedule for one reader.
const MOST_RUNS: u32 = 10;

/// Sets one up, or puts it in the place of the version before it.
pub(super) fn put(connection: &mut Connection, one: &Schedule) -> Result<(), Failed> {
    // it is read before it is written: another process must not write in between
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let (kind, owner) = &one.owner;
    let rights = text(&one.then)?;
    let (changed, next) = (one.changed.as_microsecond(), one.next.map(Timestamp::as_microsecond));
    let done = if one.version == 1 {
        let count = "select count(*) from schedules where region = ? and owner = ? and owner_kind = ?";
        let held: u32 = transaction.query_row(count, params![one.region, owner, kind], |row| row.get(0))?;
        if held >= MOST {
            return Err(Failed::Full(MOST));
        }
        transaction.execute(
            "insert into schedules values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '[]', 0) on conflict do nothing",
            params![
                one.region,
                one.id,
                one.operation,
                kind,
                owner,
                one.name,
                one.definition,
                one.cron,
                one.zone,
                one.enabled,
                rights,
                one.version,
                changed,
                next
            ],
        )?
    } else {
        transaction.execute(
            "update schedules set name = ?, definition = ?, cron = ?, zone = ?, enabled = ?, rights = ?, \
             version = ?, changed = ?, next = ?, waiting = '[]', tries = 0 where region = ? and id = ? and version = ? and owner = ? and owner_kind = ?",
            params![
                one.name,
                one.definition,
                one.cron,
                one.zone,
                one.enabled,
                rights,
                one.version,
                changed,
                next,
                one.region,
                one.id,
                one.version - 1,
                owner,
                kind
            ],
        )?
    };
    if done != 1 {
        return Err(Failed::Changed);
    }
    transaction.execute("delete from recipients where region = ? and schedule = ?", [&one.region, &one.id])?;
    for person in &one.recipients {
        transaction.execute("insert into recipients values (?, ?, ?)", [&one.region, &one.id, person])?;
    }
    // nobody who is left out keeps an answer here
    let others = "delete from runs where region = ?1 and schedule = ?2 and not (reader_kind = ?3 and reader = ?4) and not \
                  (reader_kind = 'user' and reader in (select person from recipients where region = ?1 and schedule = ?2))";
    transaction.execute(others, params![one.region, one.id, kind, owner])?;
    transaction.commit()?;
    Ok(())
}

/// Takes somebody out of those who receive it, with what was kept for him.
pub(super) fn leave(connection: &mut Connection, one: &Schedule, person: &str) -> Result<(), Failed> {
    let transaction = connection.transaction()?;
    let whose = params![one.region, one.id, person];
    transaction.execute("delete from recipients where region = ? and schedule = ? and person = ?", whose)?;
    let runs = "delete from runs where region = ? and schedule = ? and reader_kind = 'user' and reader = ?";
    transaction.execute(runs, whose)?;
    transaction.commit()?;
    Ok(())
}

/// Takes away the version that was seen, with everything that was kept of its runs.
pub(super) fn remove(connection: &Connection, one: &Schedule) -> Result<(), Failed> {
    let delete = "delete from schedules where region = ? and id = ? and version = ?";
    match connection.execute(delete, params![one.region, one.id, one.version])? {
        1 => Ok(()),
        _ => Err(Failed::Changed),
    }
}

const FIELDS: &str = "id, operation, owner_kind, owner, name, definition, cron, zone, (select json_group_array(person) from \
                      recipients r where r.region = schedules.region and r.schedule = schedules.id), enabled, rights, version, \
                      changed, next, region, waiting, tries";

pub(super) fn find(connection: &Connection, region: &str, id: &str) -> Result<Option<Schedule>, Failed> {
    let select = format!("select {FIELDS} from schedules where region = ? and id = ?");
    let found = connection.prepare_cached(&select)?.query_row([region, id], read).optional()?;
    Ok(found)
}

/// A page, by name, of what somebody set up or receives, and how much that is.
pub(super) fn around(
    connection: &mut Connection,
    (region, operation): (&str, &str),
    (kind, holder): (&str, &str),
    (skip, take): (usize, usize),
) -> Result<(Vec<Schedule>, usize), Failed> {
    // page and count are of one moment
    let connection = connection.transaction()?;
    let visible = "from schedules where region = ?1 and operation = ?2 and (owner = ?3 and owner_kind = ?4 \
                   or ?4 = 'user' and id in (select schedule from recipients where region = ?1 and person = ?3))";
    let whose = params![region, operation, holder, kind];
    let total: u32 = connection.query_row(&format!("select count(*) {visible}"), whose, |row| row.get(0))?;
    let (take, skip) = (i64::try_from(take).unwrap_or(i64::MAX), i64::try_from(skip).unwrap_or(i64::MAX));
    let select = format!("select {FIELDS} {visible} order by name, id limit {take} offset {skip}");
    let mut statement = connection.prepare(&select)?;
    let rows = statement.query_map(whose, read)?;
    Ok((rows.collect::<Result<_, _>>()?, usize::try_from(total).unwrap_or(usize::MAX)))
}

/// Those of a region that are to be run by now: one of each owner before the second of anybody, the longest overdue first.
pub(super) fn due(connection: &Connection, region: &str, now: Timestamp, most: u32) -> Result<Vec<Schedule>, Failed> {
    let select = format!(
        "select {FIELDS} from schedules where region = ?1 and next <= ?2 order by row_number() over (partition by owner, \
         owner_kind order by next, id), next, id limit ?3"
    );
    let mut statement = connection.prepare_cached(&select)?;
    let rows = statement.query_map(params![region, now.as_microsecond(), most], read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Begins the runs of one that is due, unless another process has, or it was changed meanwhile.
pub(super) fn begin(
    connection: &mut Connection,
    one: &Schedule,
    next: Option<Timestamp>,
    runs: &[Run],
) -> Result<bool, Failed> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // who begins it anew has all his tries before him
    let claim = "update schedules set next = ?, tries = iif(waiting = '[]', 0, tries), waiting = '[]' where region = ? and id = ? \
                 and version = ? and next = ?";
    let (was, next) = (one.next.map(Timestamp::as_microsecond), next.map(Timestamp::as_microsecond));
    if transaction.execute(claim, params![next, one.region, one.id, one.version, was])? != 1 {
        return Ok(false);
    }
    for run in runs {
        let (kind, reader) = &run.reader;
        let insert = "insert into runs (region, id, schedule, reader_kind, reader, began, state) values (?, ?, ?, ?, ?, ?, 'begun')";
        let began = run.began.as_microsecond();
        transaction.execute(insert, params![run.region, run.id, run.schedule, kind, reader, began])?;
        let beyond = "delete from runs where region = ?1 and schedule = ?2 and reader = ?3 and reader_kind = ?4 and id not in \
                      (select id from runs where region = ?1 and schedule = ?2 and reader = ?3 and reader_kind = ?4 \
                      order by began desc, id desc limit ?5)";
        transaction.execute(beyond, params![run.region, run.schedule, reader, kind, MOST_RUNS])?;
    }
    transaction.commit()?;
    Ok(true)
}

/// Has it run once more at another time, for those who wait alone, unless it was changed meanwhile; where its own time comes first,
/// it is everybody's then. `given_up`: their runs.
pub(super) fn put_off(
    connection: &mut Connection,
    one: &Schedule,
    until: Timestamp,
    given_up: &[Run],
) -> Result<(), Failed> {
    let transaction = connection.transaction()?;
    let readers: Vec<_> = given_up.iter().map(|run| &run.reader).collect();
    let update = "update schedules set waiting = iif(next <= ?1, '[]', ?2), tries = iif(next <= ?1, 0, tries + 1), \
                  next = min(next, ?1) where region = ?3 and id = ?4 and version = ?5 and next is not null";
    let until = until.as_microsecond();
    transaction.execute(update, params![until, text(&readers)?, one.region, one.id, one.version])?;
    for run in given_up {
        transaction.execute("delete from runs where region = ? and id = ?", [&run.region, &run.id])?;
    }
    transaction.commit()?;
    Ok(())
}

/// Writes how a run ended. One whose schedule is gone by now is kept nowhere.
pub(super) fn end(connection: &Connection, run: &Run) -> Result<(), Failed> {
    let update = "update runs set state = ?, code = ?, decision = ?, said = ?, asked = ?, sent = ?, answer = ? \
                  where region = ? and id = ?";
    let (state, code, kept) = match &run.state {
        RunState::Begun => ("begun", None, None),
        RunState::Refused(code) => ("refused", Some(code), None),
        RunState::Kept(kept) => ("kept", None, Some(kept)),
    };
    let decision = kept.map(|kept| &*kept.decision);
    let said = kept.map(|kept| text(&kept.said)).transpose()?;
    let asked = kept.map(|kept| kept.asked.as_ref());
    let sent = kept.and_then(|kept| kept.sent.as_deref());
    let answer = kept.map(|kept| kept.answer.as_ref());
    connection.execute(update, params![state, code, decision, said, asked, sent, answer, run.region, run.id])?;
    let beyond = "delete from runs where region = ?1 and id in (select id from (select r.id, sum(length(coalesce(answer, '')) \
                  + length(coalesce(sent, '')) + length(coalesce(asked, ''))) over (order by began desc, r.id desc) as held \
                  from runs r join schedules s on s.region = r.region and s.id = r.schedule join schedules o on o.region = ?1 \
                  and o.id = ?2 where s.region = ?1 and s.owner = o.owner and s.owner_kind = o.owner_kind) where held > ?3)";
    connection.execute(beyond, params![run.region, run.schedule, MOST_BYTES])?;
    Ok(())
}

/// The runs of a schedule for one reader, the newest first, without what they answered; or the one of that id, with it.
pub(super) fn runs(
    connection: &Connection,
    (region, schedule): (&str, &str),
    (kind, reader): (&str, &str),
    id: Option<&str>,
) -> Result<Vec<Run>, Failed> {
    let body = |name: &str| if id.is_some() { name.to_owned() } else { "null".to_owned() };
    let select = format!(
        "select id, began, state, code, decision, {}, {}, {}, said from runs where region = ?1 and schedule = ?2 and reader = ?3 \
         and reader_kind = ?4 and (?5 is null or id = ?5) order by began desc, id desc",
        body("asked"),
        body("sent"),
        body("answer")
    );
    let mut statement = connection.prepare_cached(&select)?;
    let rows = statement.query_map(params![region, schedule, reader, kind, id], |row| {
        let bytes = |at: usize| row.get::<_, Option<Vec<u8>>>(at).map(|found| found.map(Bytes::from));
        let began = moment(row.get(1)?);
        let state: Box<str> = row.get(2)?;
        let state = match &*state {
            "kept" => RunState::Kept(KeptAnswer {
                decision: row.get::<_, Option<Box<str>>>(4)?.unwrap_or_default(),
                asked: bytes(5)?.unwrap_or_default(),
                sent: bytes(6)?,
                answer: bytes(7)?.unwrap_or_default(),
                said: serde_json::from_str(&row.get::<_, Option<String>>(8)?.unwrap_or_default()).unwrap_or_default(),
            }),
            "refused" => RunState::Refused(row.get::<_, Option<Box<str>>>(3)?.unwrap_or_default()),
            _ => RunState::Begun,
        };
        let reader = (kind.into(), reader.into());
        Ok(Run { id: row.get(0)?, schedule: schedule.into(), region: region.into(), reader, began, state })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn moment(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap_or(Timestamp::MIN)
}

fn text(value: &impl serde::Serialize) -> Result<String, Failed> {
    serde_json::to_string(value).map_err(|error| Failed::Store(error.to_string()))
}

fn read(row: &Row<'_>) -> rusqlite::Result<Schedule> {
    let json = |at: usize| row.get::<_, String>(at);
    // what cannot be read names nobody and gives nothing
    Ok(Schedule {
        id: row.get(0)?,
        operation: row.get(1)?,
        owner: (row.get(2)?, row.get(3)?),
        name: row.get(4)?,
        definition: row.get(5)?,
        cron: row.get(6)?,
        zone: row.get(7)?,
        recipients: serde_json::from_str(&json(8)?).unwrap_or_default(),
        enabled: row.get(9)?,
        then: serde_json::from_str(&json(10)?).unwrap_or_default(),
        version: row.get(11)?,
        changed: moment(row.get(12)?),
        next: row.get::<_, Option<i64>>(13)?.map(moment),
        region: row.get(14)?,
        waiting: serde_json::from_str(&json(15)?).unwrap_or_default(),
        tries: row.get(16)?,
    })
}
