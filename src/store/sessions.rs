//! What was ended before its time, for every process that shares the file, and who was last seen.

use super::Failed;
use crate::model::session::{Ended, Presence, Whose};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};

/// Numbers only grow: whoever read up to one reads on behind it.
pub(super) const TABLES: &str = "
    create table if not exists ended (
        number integer primary key autoincrement, whose text not null, id text not null, at integer not null,
        until integer not null, unique (whose, id)
    ) strict;
    create index if not exists ended_by_end on ended (until);
    create table if not exists presence (
        user text primary key, token text, client text, session text, subject text, issued integer not null,
        until integer not null
    ) strict, without rowid;
";

/// Of all together.
pub(super) const MOST: u32 = 1_000_000;
/// Of these, for people and clients alone.
const RESERVED: u32 = 250_000;

/// Keeps that something is over; the later of two ends counts. What nobody can hold any more is forgotten.
pub(super) fn end(connection: &mut Connection, one: &Ended, now: Timestamp) -> Result<(), Failed> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute("delete from ended where until <= ?", [now.as_microsecond()])?;
    let key = params![one.whose.as_str(), one.id];
    let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?));
    let before =
        transaction.query_row("select at, until from ended where whose = ? and id = ?", key, read).optional()?;
    if before.is_none() {
        let held: u32 = transaction.query_row("select count(*) from ended", [], |row| row.get(0))?;
        // sessions and single tokens leave room: people and clients can always be ended
        let most = if one.whose.is_over() { MOST - RESERVED } else { MOST };
        if held >= most {
            return Err(Failed::TooManyEnded(most));
        }
    }
    let (at, until) = before.unwrap_or((i64::MIN, i64::MIN));
    let (at, until) = (at.max(one.at.as_microsecond()), until.max(one.until.as_microsecond()));
    // a new number, so that everybody reads it
    transaction.execute(
        "insert or replace into ended (whose, id, at, until) values (?, ?, ?, ?)",
        params![one.whose.as_str(), one.id, at, until],
    )?;
    transaction.commit()?;
    Ok(())
}

/// What was ended since a number was read, and the number to read on from.
pub(super) fn ended_since(connection: &Connection, number: i64) -> Result<(Vec<Ended>, i64), Failed> {
    let select = "select number, whose, id, at, until from ended where number > ? order by number";
    let mut statement = connection.prepare_cached(select)?;
    let mut last = number;
    let mut found = Vec::new();
    let mut rows = statement.query([number])?;
    while let Some(row) = rows.next()? {
        last = row.get(0)?;
        let whose: String = row.get(1)?;
        let Some(whose) = Whose::ALL.into_iter().find(|one| one.as_str() == whose) else {
            // of a newer process: what this one does not know it cannot be asked by
            tracing::warn!(whose, "something was ended that this process does not know");
            continue;
        };
        found.push(Ended { whose, id: row.get(2)?, at: stamp(row.get(3)?), until: stamp(row.get(4)?) });
    }
    Ok((found, last))
}

/// Notes who was seen; as many as there are people.
pub(super) fn seen(connection: &Connection, one: &Presence) -> Result<(), Failed> {
    connection.prepare_cached("insert or replace into presence values (?, ?, ?, ?, ?, ?, ?)")?.execute(params![
        one.user,
        one.token,
        one.client,
        one.session,
        one.subject,
        one.issued.as_microsecond(),
        one.until.as_microsecond()
    ])?;
    Ok(())
}

pub(super) fn presence(connection: &Connection, user: &str) -> Result<Option<Presence>, Failed> {
    let select = "select token, client, session, subject, issued, until from presence where user = ?";
    let found = connection.prepare_cached(select)?.query_row([user], |row| {
        Ok(Presence {
            user: user.into(),
            token: row.get(0)?,
            client: row.get(1)?,
            session: row.get(2)?,
            subject: row.get(3)?,
            issued: stamp(row.get(4)?),
            until: stamp(row.get(5)?),
        })
    });
    Ok(found.optional()?)
}

fn stamp(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    const NOW: &str = "2026-11-20T10:00:00Z";

    fn ended(whose: Whose, id: &str) -> Ended {
        Ended { whose, id: id.into(), at: NOW.parse().unwrap(), until: "2026-11-22T10:00:00Z".parse().unwrap() }
    }

    /// However many sessions were ended, a person can be; and what is ended already can be ended again.
    #[tokio::test]
    async fn people_can_be_ended_when_no_more_sessions_can() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let now: Timestamp = NOW.parse().unwrap();
        store.end_tokens(ended(Whose::Session, "s-1"), now).await.unwrap();
        let many = "insert into ended (whose, id, at, until) with recursive n(i) as (select 2 union all select i + 1 from n where i < 750000) \
                    select 'session', 's-' || i, 0, 9000000000000000 from n";
        Connection::open(folder.path().join("bailiwick.sqlite")).unwrap().execute(many, []).unwrap();
        let full = Err(Failed::TooManyEnded(750_000));
        assert_eq!(store.end_tokens(ended(Whose::Session, "s-0"), now).await, full);
        assert_eq!(store.end_tokens(ended(Whose::Token, "t-0"), now).await, full);
        assert_eq!(store.end_tokens(ended(Whose::Session, "s-1"), now).await, Ok(()));
        assert_eq!(store.end_tokens(ended(Whose::User, "ana"), now).await, Ok(()));
        // what is over makes room
        assert_eq!(store.end_tokens(ended(Whose::Session, "s-0"), Timestamp::MAX).await, Ok(()));
    }

    /// A newer process may end what this one does not know: it is passed over, and what comes behind it is read.
    #[tokio::test]
    async fn ends_of_a_newer_process_stop_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let other = Connection::open(folder.path().join("bailiwick.sqlite")).unwrap();
        other.execute("insert into ended (whose, id, at, until) values ('planet', 'p-1', 0, 1)", []).unwrap();
        store.end_tokens(ended(Whose::User, "ana"), Timestamp::UNIX_EPOCH).await.unwrap();
        let (found, last) = store.ended_since(0).await.unwrap();
        assert_eq!((found, last), (vec![ended(Whose::User, "ana")], 2));
    }
}
