//! Jobs and the places in their results.

use super::Failed;
use crate::{
    base::hash,
    model::job::{Job, JobKind},
};
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension as _, params};

/// Places are kept as digests: they may be long, and nobody needs to read them.
pub(super) const TABLES: &str = "
    create table if not exists jobs (
        region text not null, id text not null, holder_kind text not null, holder text not null,
        operation text not null, submitted integer not null, sent integer not null, body blob not null,
        primary key (region, id)
    ) strict, without rowid;
    create index if not exists jobs_by_age on jobs (submitted);
    create index if not exists jobs_by_holder on jobs (holder, holder_kind, submitted);
    create table if not exists cursors (
        region text not null, id text not null, digest text not null, primary key (region, id, digest),
        foreign key (region, id) references jobs (region, id) on delete cascade
    ) strict, without rowid;
";

/// No upstream keeps results longer.
const KEPT: SignedDuration = SignedDuration::from_hours(31 * 24);
/// Jobs of one holder; with one more the oldest is forgotten. One person must not fill the disk.
pub(super) const MOST: u32 = 1_000;

pub(super) fn bind(connection: &mut Connection, job: &Job) -> Result<(), Failed> {
    let (sent, body) = match &job.kind {
        JobKind::Sent(body) => (true, body),
        JobKind::Empty(body) => (false, body),
    };
    let transaction = connection.transaction()?;
    let oldest = job.submitted.checked_sub(KEPT).unwrap_or(Timestamp::MIN);
    transaction.execute("delete from jobs where submitted < ?", [oldest.as_second()])?;
    let (kind, holder) = &job.holder;
    let beyond = "delete from jobs where (region, id) in (select region, id from jobs where holder = ? and holder_kind = ? \
                  order by submitted desc, id desc limit -1 offset ?)";
    transaction.execute(beyond, params![holder, kind, MOST - 1])?;
    let insert = "insert into jobs (region, id, holder_kind, holder, operation, submitted, sent, body) \
                  values (?, ?, ?, ?, ?, ?, ?, ?) on conflict do nothing";
    let added = transaction.execute(
        insert,
        params![job.region, job.id, kind, holder, job.operation, job.submitted.as_second(), sent, body.as_ref()],
    )?;
    if added == 0 {
        let held = find(&transaction, &job.region, &job.id, None)?;
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
) -> Result<Option<Job>, Failed> {
    let select = "select holder_kind, holder, operation, submitted, sent, body from jobs where region = ? and id = ?";
    let mut statement = connection.prepare_cached(select)?;
    let found = statement.query_row([region, id], |row| {
        let body = Bytes::from(row.get::<_, Vec<u8>>(5)?);
        Ok(Job {
            id: id.into(),
            region: region.into(),
            holder: (row.get(0)?, row.get(1)?),
            operation: row.get(2)?,
            submitted: Timestamp::from_second(row.get(3)?).unwrap_or(Timestamp::MIN),
            kind: if row.get(4)? { JobKind::Sent(body) } else { JobKind::Empty(body) },
            cursor: None,
        })
    });
    let Some(job) = found.optional()? else { return Ok(None) };
    let Some(cursor) = cursor else { return Ok(Some(job)) };
    let select = "select 1 from cursors where region = ? and id = ? and digest = ?";
    let named = connection.prepare_cached(select)?.exists([region, id, &hash::sha256_hex(cursor.as_bytes())])?;
    Ok(Some(Job { cursor: named.then(|| cursor.into()), ..job }))
}

pub(super) fn name_cursor(connection: &Connection, region: &str, id: &str, cursor: &str) -> Result<(), Failed> {
    let insert = "insert into cursors (region, id, digest) values (?, ?, ?) on conflict do nothing";
    connection.prepare_cached(insert)?.execute([region, id, &hash::sha256_hex(cursor.as_bytes())])?;
    Ok(())
}
