//! The tables of one region's store.

/// Times are milliseconds since 1970. `division` of a leg is the one that the upstream tagged at its time.
pub(super) const TABLES: &str = "
CREATE TABLE conversations (
    n INTEGER PRIMARY KEY, id TEXT NOT NULL, start INTEGER NOT NULL, end INTEGER NOT NULL,
    originating TEXT NOT NULL, mos REAL NOT NULL);
CREATE TABLE legs (
    id INTEGER PRIMARY KEY, conversation INTEGER NOT NULL, no INTEGER NOT NULL,
    participant INTEGER NOT NULL, session INTEGER NOT NULL,
    queue TEXT, agent TEXT, division TEXT, start INTEGER NOT NULL, end INTEGER NOT NULL,
    purpose TEXT NOT NULL, media TEXT NOT NULL, direction TEXT NOT NULL, wrapup TEXT, ani TEXT, dnis TEXT,
    offered INTEGER, connected INTEGER, transferred INTEGER, abandoned INTEGER,
    handle INTEGER, talk INTEGER, hold INTEGER, acw INTEGER, wait INTEGER, abandon INTEGER, answered INTEGER);
CREATE TABLE tags (conversation INTEGER NOT NULL, division TEXT NOT NULL, PRIMARY KEY (conversation, division)) WITHOUT ROWID;
CREATE TABLE callbacks (
    conversation INTEGER PRIMARY KEY, scheduled INTEGER, numbers TEXT NOT NULL, name TEXT, agent TEXT, ended INTEGER NOT NULL);
CREATE TABLE properties (
    conversation INTEGER NOT NULL, session TEXT NOT NULL, at INTEGER NOT NULL, property TEXT NOT NULL, kind TEXT NOT NULL, value TEXT NOT NULL);
CREATE TABLE evaluations (
    id TEXT NOT NULL, conversation INTEGER NOT NULL, leg INTEGER NOT NULL, queue TEXT, agent TEXT, evaluator TEXT, score INTEGER);
CREATE TABLE surveys (
    id TEXT NOT NULL, conversation INTEGER NOT NULL, leg INTEGER NOT NULL, queue TEXT, agent TEXT, status TEXT, score INTEGER);
CREATE TABLE presence (user TEXT NOT NULL, system TEXT NOT NULL, routing TEXT NOT NULL, start INTEGER NOT NULL, end INTEGER NOT NULL);
CREATE TABLE queues (id TEXT PRIMARY KEY, name TEXT, division TEXT NOT NULL, state TEXT NOT NULL);
CREATE TABLE users (id TEXT PRIMARY KEY, name TEXT, division TEXT NOT NULL, active INTEGER NOT NULL);
CREATE TABLE members (queue TEXT NOT NULL, user TEXT NOT NULL, PRIMARY KEY (queue, user)) WITHOUT ROWID;
CREATE TABLE attributes (queue TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (queue, name)) WITHOUT ROWID;
CREATE TABLE runs (leg INTEGER PRIMARY KEY, flow TEXT NOT NULL, division TEXT NOT NULL, kind TEXT NOT NULL, version TEXT NOT NULL, outcome TEXT);
CREATE TABLE cases (leg INTEGER PRIMARY KEY, id TEXT NOT NULL, division TEXT NOT NULL, priority TEXT NOT NULL, status TEXT NOT NULL, resolved INTEGER);
CREATE TABLE teams (team TEXT NOT NULL, user TEXT NOT NULL, PRIMARY KEY (team, user)) WITHOUT ROWID;
CREATE TABLE media (name TEXT PRIMARY KEY);
INSERT INTO media VALUES ('voice'), ('chat'), ('email'), ('message'), ('callback');
CREATE TEMP TABLE seen AS SELECT * FROM legs WHERE 0;
";

/// Made after the rows: faster than keeping them up to date.
pub(super) const INDEXES: &str = "
CREATE INDEX legs_by_conversation ON legs (conversation, no);
CREATE INDEX legs_by_start ON legs (start);
CREATE INDEX conversations_by_start ON conversations (start);
CREATE UNIQUE INDEX conversations_by_id ON conversations (id);
CREATE INDEX evaluations_by_conversation ON evaluations (conversation);
CREATE INDEX evaluations_by_leg ON evaluations (leg);
CREATE INDEX surveys_by_leg ON surveys (leg);
CREATE INDEX surveys_by_conversation ON surveys (conversation);
CREATE INDEX presence_by_user ON presence (user, start);
CREATE INDEX members_by_user ON members (user);
CREATE INDEX temp.seen_by_conversation ON seen (conversation, no);
";
