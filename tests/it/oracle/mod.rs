//! The slow, obvious answer to "who may see what": plain code over the directory *file*, sharing nothing with the
//! program. `data` is what stands in files, `semantics` is the law, `questions` evaluates a query, `search` one of documents, `lists` what is listed and read by id, `generate` draws
//! organisations, interactions and questions.

pub(crate) mod data;
pub(crate) mod generate;
pub(crate) mod lists;
pub(crate) mod questions;
pub(crate) mod search;
pub(crate) mod semantics;
