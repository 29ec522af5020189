//! Jobs and the places in their results.

use super::Failed;
use crate::{
    base::hash,
    model::job::{Job, JobKind},
};
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension as _, Row, TransactionBehavior, params};

/// Places are kept as digests: they may be long, and nobody needs to read them.
pub(super) const TABLES: &str = "
    create table if not exists jobs (
        region text not null, id text not null, holder_kind text not null, holder text not null,
        operation text not null, submitted integer not null, sent integer not null, body blob not null,
        primary key (region, id)
    ) strict, without rowid;
    create index if not exists jobs_by_age on jobs (submitted);
    create index if not exists jobs_by_holder on jobs (holder, holder_kind, submitted);
    create table if not exists places (
        region text not null, id text not null, digest blob not null, primary key (region, id, digest),
        foreign key (region, id) references jobs (region, id) on delete cascade
    ) strict, without rowid;
";

/// No upstream keeps results longer.
const KEPT: SignedDuration = SignedDuration::from_hours(31 * 24);
/// Jobs of one holder, and bytes of them; with more the oldest is forgotten. One person must not fill the disk.
pub(super) const MOST: u32 = 1_000;
pub(super) const MOST_BYTES: usize = 64 * 1024 * 1024;
/// Places in the results of one holder's jobs; for more, his oldest other jobs are forgotten.
pub(super) const MOST_PLACES: u32 = 50_000;

pub(super) fn bind(connection: &mut Connection, job: &Job) -> Result<(), Failed> {
    let (sent, body) = match &job.kind {
        JobKind::Sent(body) => (true, body),
        JobKind::Empty(body) => (false, body),
    };
    let transaction = connection.transaction()?;
    let oldest = job.submitted.checked_sub(KEPT).unwrap_or(Timestamp::MIN);
    transaction.execute("delete from jobs where submitted < ?", [oldest.as_second()])?;
    let (kind, holder) = &job.holder;
    let beyond = "delete from jobs where (region, id) in (select region, id from (select region, id, \
                  row_number() over newest as place, sum(length(body)) over newest as held from jobs \
                  where holder = ? and holder_kind = ? window newest as (order by submitted desc, id desc)) \
                  where place > ? or held > ?)";
    let room = i64::try_from(MOST_BYTES.saturating_sub(body.len())).unwrap_or(i64::MAX);
    transaction.execute(beyond, params![holder, kind, MOST - 1, room])?;
    let insert = "insert into jobs (region, id, holder_kind, holder, operation, submitted, sent, body) \
                  values (?, ?, ?, ?, ?, ?, ?, ?) on conflict do nothing";
    let added = transaction.execute(
        insert,
        params![job.region, job.id, kind, holder, job.operation, job.submitted.as_second(), sent, body.as_ref()],
    )?;
    if added == 0 {
        let held = find(&transaction, &job.region, &job.id, None, true)?;
        let same =
            held.is_some_and(|held| Job { submitted: job.submitted, ..held } == Job { cursor: None, ..job.clone() });
        if !same {
            return Err(Failed::Taken(job.id.clone()));
        }
    }
    transaction.commit()?;
    Ok(())
}

pub(super) fn find(
    connection: &Connection,
    region: &str,
    id: &str,
    cursor: Option<&str>,
    with_body: bool,
) -> Result<Option<Job>, Failed> {
    let select = "select holder_kind, holder, operation, submitted, sent, iif(?3, body, x'') from jobs \
                  where region = ?1 and id = ?2";
    let mut statement = connection.prepare_cached(select)?;
    let found = statement.query_row(params![region, id, with_body], |row| read(region, id.into(), row));
    let Some(job) = found.optional()? else { return Ok(None) };
    let Some(cursor) = cursor else { return Ok(Some(job)) };
    let select = "select 1 from places where region = ? and id = ? and digest = ?";
    let named = connection.prepare_cached(select)?.exists(params![region, id, hash::sha256(cursor.as_bytes())])?;
    Ok(Some(Job { cursor: named.then(|| cursor.into()), ..job }))
}

/// The newest first, without what was sent for them: there may be many, and much of it.
pub(super) fn of_holder(
    connection: &Connection,
    region: &str,
    (kind, holder): (&str, &str),
    operation: &str,
) -> Result<Vec<Job>, Failed> {
    let select = "select holder_kind, holder, operation, submitted, sent, x'', id from jobs where region = ? \
                  and holder = ? and holder_kind = ? and operation = ? order by submitted desc, id desc";
    let mut statement = connection.prepare_cached(select)?;
    let rows = statement.query_map(params![region, holder, kind, operation], |row| read(region, row.get(6)?, row))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn read(region: &str, id: Box<str>, row: &Row<'_>) -> rusqlite::Result<Job> {
    let body = Bytes::from(row.get::<_, Vec<u8>>(5)?);
    Ok(Job {
        id,
        region: region.into(),
        holder: (row.get(0)?, row.get(1)?),
        operation: row.get(2)?,
        submitted: Timestamp::from_second(row.get(3)?).unwrap_or(Timestamp::MIN),
        kind: if row.get(4)? { JobKind::Sent(body) } else { JobKind::Empty(body) },
        cursor: None,
    })
}

/// Whether the place was kept: the job may be forgotten by now.
pub(super) fn name_cursor(connection: &mut Connection, region: &str, id: &str, cursor: &str) -> Result<bool, Failed> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let there = transaction.prepare_cached("select 1 from jobs where region = ? and id = ?")?.exists([region, id])?;
    if there {
        let digest = hash::sha256(cursor.as_bytes());
        let insert = "insert into places (region, id, digest) values (?, ?, ?) on conflict do nothing";
        let added = transaction.prepare_cached(insert)?.execute(params![region, id, digest])?;
        if added > 0 && places_of_holder(&transaction, region, id)? > MOST_PLACES {
            forget_oldest_other(&transaction, region, id)?;
            if places_of_holder(&transaction, region, id)? > MOST_PLACES {
                return Err(Failed::Places(id.into()));
            }
        }
    }
    transaction.commit()?;
    Ok(there)
}

/// Places in the results of all jobs of whoever holds this one.
fn places_of_holder(connection: &Connection, region: &str, id: &str) -> rusqlite::Result<u32> {
    let count = "select count(*) from jobs as mine join jobs as held using (holder, holder_kind) \
                 join places on places.region = held.region and places.id = held.id \
                 where mine.region = ? and mine.id = ?";
    connection.prepare_cached(count)?.query_row([region, id], |row| row.get(0))
}

/// Forgets the oldest of the holder's other jobs whose results have places.
fn forget_oldest_other(connection: &Connection, region: &str, id: &str) -> rusqlite::Result<()> {
    let oldest = "delete from jobs where (region, id) in (select held.region, held.id from jobs as mine \
                  join jobs as held using (holder, holder_kind) where mine.region = ?1 and mine.id = ?2 \
                  and not (held.region = ?1 and held.id = ?2) and exists (select 1 from places \
                  where places.region = held.region and places.id = held.id) order by held.submitted, held.id limit 1)";
    connection.prepare_cached(oldest)?.execute([region, id])?;
    Ok(())
}

/// A job that was cancelled is nobody's.
pub(super) fn forget(connection: &Connection, region: &str, id: &str) -> Result<(), Failed> {
    connection.prepare_cached("delete from jobs where region = ? and id = ?")?.execute([region, id])?;
    Ok(())
}
