//! The whole program over real sockets: a sandbox as the upstream, a configuration and a directory in files, clients
//! that speak HTTP. What is due is said by the oracle and the sandbox's own SQL, never by the program.

#![expect(clippy::print_stdout, reason = "how much was tried is part of what the tests show")]

mod abroad;
mod acting;
mod assumptions;
mod attributes;
mod batch;
mod callbacks;
mod claims;
mod codes;
mod definitions;
mod disobedient;
mod documents;
mod empty;
mod evaluations;
mod examples;
mod exports;
mod families;
mod faults;
mod foreign;
mod house;
mod ids;
mod jobs;
mod labels;
mod large;
mod laws;
mod lists;
mod logins;
mod matrix;
mod media;
mod memberships;
mod objects;
mod opensearch;
mod organisation;
mod outsourcers;
mod parts;
mod people;
mod present;
mod probing;
mod provider;
mod reads;
mod recorded;
mod reload;
mod schedules;
mod sdk;
mod searches;
mod secrets;
mod sessions;
mod split;
mod teams;
mod timed;
mod tokens;
mod truth;
