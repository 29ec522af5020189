//! An embedded upstream for the demo, the examples and the tests, and the organisation that it serves.
//!
//! It keeps the habits of the real thing that access control must survive, and can be told to break them.
//! It shares nothing with the program but `base`: what it answers is evidence, not agreement.

pub mod sample;
