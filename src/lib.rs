//! bailiwick: a reverse proxy that enforces report access control.

pub mod admin;
pub mod app;
pub mod audit;
pub mod base;
pub mod cli;
pub mod config;
pub mod decision;
pub mod directory;
pub mod egress;
pub mod identity;
pub mod model;
pub mod policy;
pub mod proxy;
pub mod query;
pub mod rules;
pub mod sandbox;
pub mod server;
pub mod telemetry;
pub mod upstream;
pub mod verify;
pub mod world;
