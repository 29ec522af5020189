//! One binary of integration tests, a module for each area.

mod layers;
mod oracle;
mod tidy;
