//! One region's data: made once; only callbacks and marks change. Every question goes through the one connection.

use super::{
    objects,
    organisation::Organisation,
    problem::Problem,
    schema,
    sql::Sql,
    stage::{DAY, Stage},
    story::{Leg, Story},
};
use rand::{Rng, SeedableRng, rngs::SmallRng, seq::IndexedRandom};
use rusqlite::{Connection, Row, params, params_from_iter};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The data of one region and what the upstream knows of the organisation there.
#[derive(Debug)]
pub(super) struct Store {
    pub(super) region: String,
    pub(super) organisation: Organisation,
    pub(super) now: i64,
    connection: Mutex<Connection>,
}

impl Store {
    /// Makes up `interactions` in `organisation`; `prefix` begins the ids of interactions.
    pub(super) fn generate(
        region: &str,
        organisation: Organisation,
        prefix: &str,
        seed: u64,
        interactions: u32,
        now: i64,
    ) -> rusqlite::Result<Self> {
        let mut connection = Connection::open_in_memory()?;
        connection.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA temp_store = MEMORY;")?;
        connection.set_prepared_statement_cache_capacity(64);
        connection.execute_batch(schema::TABLES)?;
        let transaction = connection.transaction()?;
        write_organisation(&transaction, &organisation)?;
        let mut rng =
            SmallRng::seed_from_u64(region.bytes().fold(seed, |sum, byte| sum.rotate_left(7) ^ u64::from(byte)));
        let stage = Stage::set(&organisation, now);
        write_stories(&transaction, &stage, &mut rng, prefix, interactions, now)?;
        write_presence(&transaction, &stage, &mut rng, now)?;
        objects::write(&transaction, &organisation, prefix)?;
        transaction.execute_batch(schema::INDEXES)?;
        transaction.commit()?;
        drop(stage);
        Ok(Self { region: region.to_owned(), organisation, now, connection: Mutex::new(connection) })
    }

    /// The rows of a question, each read by `read`.
    pub(super) fn rows<T>(
        &self,
        sql: &Sql,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, Problem> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached(&sql.text)?;
        let rows = statement.query_map(params_from_iter(&sql.values), read)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The one number that a question gives; none counts as zero.
    pub(super) fn number(&self, sql: &Sql) -> Result<i64, Problem> {
        let rows = self.rows(sql, |row| row.get::<_, Option<i64>>(0))?;
        Ok(rows.into_iter().flatten().next().unwrap_or_default())
    }

    pub(super) fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn write_organisation(connection: &Connection, organisation: &Organisation) -> rusqlite::Result<()> {
    let mut queue = connection.prepare("INSERT INTO queues VALUES (?, ?, ?, ?)")?;
    for row in &organisation.queues {
        queue.execute(params![row.id, row.name, row.division, row.state()])?;
    }
    let mut attribute = connection.prepare("INSERT INTO attributes VALUES (?, ?, ?)")?;
    for row in &organisation.queues {
        for (name, value) in row.values() {
            attribute.execute(params![row.id, name, value])?;
        }
    }
    let mut user = connection.prepare("INSERT INTO users VALUES (?, ?, ?, ?)")?;
    for row in &organisation.users {
        user.execute(params![row.id, row.shown(), row.division, row.active])?;
    }
    let mut member = connection.prepare("INSERT INTO members VALUES (?, ?)")?;
    for (queue, members) in organisation.members() {
        for user in members {
            member.execute(params![queue, user])?;
        }
    }
    Ok(())
}

fn write_stories(
    connection: &Connection,
    stage: &Stage<'_>,
    rng: &mut SmallRng,
    prefix: &str,
    interactions: u32,
    now: i64,
) -> rusqlite::Result<()> {
    let mut conversation = connection.prepare("INSERT INTO conversations VALUES (?, ?, ?, ?, ?, ?)")?;
    let mut leg = connection.prepare(&format!("INSERT INTO legs VALUES ({})", vec!["?"; 27].join(",")))?;
    let mut tag = connection.prepare("INSERT OR IGNORE INTO tags VALUES (?, ?)")?;
    let mut evaluation = connection.prepare("INSERT INTO evaluations VALUES (?, ?, ?, ?, ?, ?, ?)")?;
    let mut survey = connection.prepare("INSERT INTO surveys VALUES (?, ?, ?, ?, ?, ?, ?)")?;
    let mut leg_id = 0_i64;
    for n in 1..=interactions {
        let story = Story::invent(stage, rng, now);
        conversation.execute(params![
            n,
            format!("{prefix}{n:06}"),
            story.start,
            story.end,
            story.originating,
            story.mos
        ])?;
        let (ani, dnis) = (format!("+1555{:07}", story.ani), format!("+1800{:07}", story.dnis));
        for (no, part) in story.legs.iter().enumerate() {
            leg_id += 1;
            let place = Place::of(stage, part);
            let m = &part.measures;
            leg.execute(params![
                leg_id,
                n,
                i64::try_from(no).unwrap_or_default(),
                part.participant,
                part.session,
                place.queue,
                place.agent,
                place.division,
                part.start,
                part.end,
                part.purpose,
                story.media,
                story.originating,
                part.wrapup,
                ani,
                dnis,
                m.offered,
                m.connected,
                m.transferred,
                m.abandoned,
                m.handle,
                m.talk,
                m.hold,
                m.acw,
                m.wait,
                m.abandon,
                m.answered,
            ])?;
            if let Some(division) = place.division {
                tag.execute(params![n, division])?;
            }
            if part.agent.is_some() && rng.random_ratio(1, 15) {
                let evaluator = stage.agents.choose(rng).map(|agent| agent.id);
                let score = rng.random_range(0..=100);
                evaluation.execute(params![
                    format!("ev-{prefix}{leg_id}"),
                    n,
                    leg_id,
                    place.queue,
                    place.agent,
                    evaluator,
                    score
                ])?;
            }
            if part.agent.is_some() && rng.random_ratio(1, 20) {
                let status = ["Finished", "Sent", "Expired"].choose(rng);
                survey.execute(params![
                    format!("su-{prefix}{leg_id}"),
                    n,
                    leg_id,
                    place.queue,
                    place.agent,
                    status,
                    rng.random_range(0..=10)
                ])?;
            }
        }
    }
    Ok(())
}

/// A leg's places by their ids.
struct Place<'a> {
    queue: Option<&'a str>,
    agent: Option<&'a str>,
    division: Option<&'a str>,
}

impl<'a> Place<'a> {
    fn of(stage: &Stage<'a>, leg: &Leg) -> Self {
        let queue = leg.queue.and_then(|place| stage.queues.get(place));
        let agent = leg.agent.and_then(|place| stage.agents.get(place));
        let division = queue.map(|queue| queue.division_at(leg.start));
        Self {
            queue: queue.map(|queue| queue.id),
            agent: agent.map(|agent| agent.id),
            division: division.or_else(|| agent.map(|agent| agent.division_at(leg.start))),
        }
    }
}

/// Three spans on each of thirty days; the last one holds `now`.
fn write_presence(connection: &Connection, stage: &Stage<'_>, rng: &mut SmallRng, now: i64) -> rusqlite::Result<()> {
    let mut insert = connection.prepare("INSERT INTO presence VALUES (?, ?, ?, ?, ?)")?;
    let states = [
        ("AVAILABLE", "OFF_QUEUE"),
        ("ON_QUEUE", "IDLE"),
        ("ON_QUEUE", "INTERACTING"),
        ("MEAL", "OFF_QUEUE"),
        ("BUSY", "OFF_QUEUE"),
    ];
    for agent in &stage.agents {
        for day in 0..30 {
            let mut at = now - day * DAY - 3 * 3_600_000;
            for _ in 0..3 {
                let end = at + 3_600_000 + rng.random_range(0..1_800_000);
                let (system, routing) = states.choose(rng).copied().unwrap_or(("OFFLINE", "OFF_QUEUE"));
                insert.execute(params![agent.id, system, routing, at, end])?;
                at = end;
            }
        }
    }
    Ok(())
}
