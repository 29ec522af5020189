//! Questions that people keep here, and when each of them asked what.

use super::Failed;
use crate::model::definition::{Definition, Execution, Wanted};
use bytes::Bytes;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, TransactionBehavior, params};

pub(super) const TABLES: &str = "
    create table if not exists definitions (
        region text not null, id text not null, operation text not null, owner_kind text not null, owner text not null,
        division text not null, shared integer not null, name text not null, body blob not null,
        version integer not null, changed integer not null, primary key (region, id)
    ) strict, without rowid;
    create index if not exists definitions_by_owner on definitions (region, owner, owner_kind);
    create index if not exists definitions_by_division on definitions (region, division);
    create table if not exists executions (
        region text not null, operation text not null, holder_kind text not null, holder text not null,
        definition text, name text, began integer not null, micros integer not null, rows integer
    ) strict;
    create index if not exists executions_by_holder on executions (region, holder, holder_kind, operation, began);
";

/// Of one owner.
pub(super) const MOST: u32 = 500;

/// Executions of one holder that are remembered.
pub(super) const MOST_EXECUTIONS: u32 = 1_000;

/// Notes that somebody asked, and forgets the oldest of what he asked.
pub(super) fn note(connection: &mut Connection, one: &Execution) -> Result<(), Failed> {
    let transaction = connection.transaction()?;
    let (kind, holder) = &one.holder;
    let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    transaction.execute(
        "insert into executions values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        params![
            one.region,
            one.operation,
            kind,
            holder,
            one.definition,
            one.name,
            one.began.as_microsecond(),
            number(one.micros),
            one.rows.map(number)
        ],
    )?;
    let beyond = "delete from executions where rowid in (select rowid from executions where region = ? \
                  and holder = ? and holder_kind = ? and operation = ? order by began desc, rowid desc limit -1 offset ?)";
    transaction.execute(beyond, params![one.region, holder, kind, one.operation, MOST_EXECUTIONS])?;
    transaction.commit()?;
    Ok(())
}

/// What somebody asked, the newest first.
pub(super) fn executions(
    connection: &Connection,
    region: &str,
    (kind, holder): (&str, &str),
    operation: &str,
) -> Result<Vec<Execution>, Failed> {
    let select = "select definition, name, began, micros, rows from executions where region = ? and holder = ? \
                  and holder_kind = ? and operation = ? order by began desc, rowid desc";
    let mut statement = connection.prepare_cached(select)?;
    let rows = statement.query_map([region, holder, kind, operation], |row| {
        Ok(Execution {
            region: region.into(),
            operation: operation.into(),
            holder: (kind.into(), holder.into()),
            definition: row.get(0)?,
            name: row.get(1)?,
            began: Timestamp::from_microsecond(row.get(2)?).unwrap_or(Timestamp::MIN),
            micros: row.get::<_, i64>(3)?.unsigned_abs(),
            rows: row.get::<_, Option<i64>>(4)?.map(i64::unsigned_abs),
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Keeps a new one, or one in the place of the version before it.
pub(super) fn put(connection: &mut Connection, one: &Definition) -> Result<(), Failed> {
    // it is read before it is written: another process must not write in between
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let changed = one.changed.as_microsecond();
    let done = if one.version == 1 {
        let (kind, owner) = &one.owner;
        let count = "select count(*) from definitions where region = ? and owner = ? and owner_kind = ?";
        let held: u32 = transaction.query_row(count, params![one.region, owner, kind], |row| row.get(0))?;
        if held >= MOST {
            return Err(Failed::Full(MOST));
        }
        transaction.execute(
            "insert into definitions values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict do nothing",
            params![
                one.region,
                one.id,
                one.operation,
                kind,
                owner,
                one.division,
                one.shared,
                one.name,
                one.body.as_ref(),
                one.version,
                changed
            ],
        )?
    } else {
        transaction.execute(
            "update definitions set division = ?, shared = ?, name = ?, body = ?, version = ?, changed = ? \
             where region = ? and id = ? and version = ?",
            params![
                one.division,
                one.shared,
                one.name,
                one.body.as_ref(),
                one.version,
                changed,
                one.region,
                one.id,
                one.version - 1
            ],
        )?
    };
    if done != 1 {
        return Err(Failed::Changed);
    }
    transaction.commit()?;
    Ok(())
}

/// Takes away the version that was seen.
pub(super) fn remove(connection: &Connection, one: &Definition) -> Result<(), Failed> {
    let delete = "delete from definitions where region = ? and id = ? and version = ?";
    match connection.execute(delete, params![one.region, one.id, one.version])? {
        1 => Ok(()),
        _ => Err(Failed::Changed),
    }
}

const FIELDS: &str = "id, operation, owner_kind, owner, division, shared, name, version, changed";

pub(super) fn find(connection: &Connection, region: &str, id: &str) -> Result<Option<Definition>, Failed> {
    let select = format!("select {FIELDS}, body from definitions where region = ? and id = ?");
    let found = connection.prepare_cached(&select)?.query_row([region, id], |row| read(region, row)).optional()?;
    Ok(found)
}

/// The wanted part, by name, of what is visible to somebody, and how much that is: his own, and what is shared in divisions
/// that he sees. Without what they ask.
pub(super) fn around(connection: &mut Connection, wanted: &Wanted) -> Result<(Vec<Definition>, usize), Failed> {
    // page and count are of one moment
    let connection = connection.transaction()?;
    let Wanted { region, operation, holder: (kind, owner), divisions, skip, take } = wanted;
    let visible = "from definitions where region = ?1 and operation = ?2 and (owner = ?3 and owner_kind = ?4 \
                   or shared and division in (select value from json_each(?5)))";
    let divisions = serde_json::to_string(divisions).unwrap_or_default();
    let whose = params![region, operation, owner, kind, divisions];
    let mut count = connection.prepare_cached(&format!("select count(*) {visible}"))?;
    let total: u32 = count.query_row(whose, |row| row.get(0))?;
    let (take, skip) = (i64::try_from(*take).unwrap_or(i64::MAX), i64::try_from(*skip).unwrap_or(i64::MAX));
    let select = format!("select {FIELDS}, x'' {visible} order by name, id limit {take} offset {skip}");
    let mut statement = connection.prepare(&select)?;
    let rows = statement.query_map(whose, |row| read(region, row))?;
    Ok((rows.collect::<Result<_, _>>()?, usize::try_from(total).unwrap_or(usize::MAX)))
}

fn read(region: &str, row: &Row<'_>) -> rusqlite::Result<Definition> {
    Ok(Definition {
        id: row.get(0)?,
        region: region.into(),
        operation: row.get(1)?,
        owner: (row.get(2)?, row.get(3)?),
        division: row.get(4)?,
        shared: row.get(5)?,
        name: row.get(6)?,
        body: Bytes::from(row.get::<_, Vec<u8>>(9)?),
        version: row.get(7)?,
        changed: Timestamp::from_microsecond(row.get(8)?).unwrap_or(Timestamp::MIN),
    })
}
