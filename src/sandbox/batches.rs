//! Files of many recordings at once: asked for in one request, and fetched by the number of the job.
//!
//! The upstream knows a job by its id alone, whoever asks, and every interaction of the region.

use super::{problem::Problem, recordings, store::Store};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};
use uuid::Uuid;

const ROOT: &str = "/api/v2/recording/batchrequests";
const MOST: usize = 100;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Submit,
    Fetch,
}

impl Part {
    /// What a request does, and the id that ends its path.
    pub(super) fn of<'p>(method: &str, path: &'p str) -> Option<(Self, &'p str)> {
        match (method, path.strip_prefix(ROOT)?) {
            ("POST", "") => Some((Self::Submit, "")),
            ("GET", rest) => {
                let id = rest.strip_prefix('/').filter(|id| !id.is_empty() && !id.contains('/'))?;
                Some((Self::Fetch, id))
            }
            _ => None,
        }
    }
}

/// The jobs of one region: what each asked for.
#[derive(Debug, Default)]
pub(super) struct Batches(Mutex<BTreeMap<String, Vec<Value>>>);

impl Batches {
    fn all(&self) -> MutexGuard<'_, BTreeMap<String, Vec<Value>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn submit(&self, body: &Value) -> Result<Value, Problem> {
        let items = body.get("batchDownloadRequestList").and_then(Value::as_array);
        let items = items.filter(|items| (1..=MOST).contains(&items.len()));
        let items = items.ok_or_else(|| Problem::bad("`batchDownloadRequestList` has to list 1 to 100 recordings"))?;
        if items.iter().any(|item| item.get("conversationId").and_then(Value::as_str).is_none()) {
            return Err(Problem::bad("`conversationId` is missing"));
        }
        let id = Uuid::now_v7().to_string();
        self.all().insert(id.clone(), items.clone());
        Ok(json!({ "id": id, "selfUri": format!("{ROOT}/{id}") }))
    }

    /// What was made. `tied`: a recording is found below its own interaction alone. `stranger`: one that nobody asked for
    /// comes, too.
    pub(super) fn fetch(
        &self,
        store: &Store,
        id: &str,
        files: &str,
        (tied, stranger): (bool, bool),
    ) -> Result<Value, Problem> {
        let items = self.all().get(id).cloned().ok_or_else(Problem::not_found)?;
        let asked = items.iter().map(|item| {
            let text = |name: &str| item.get(name).and_then(Value::as_str);
            let conversation = text("conversationId").unwrap_or_default();
            let found = recordings::link(store, conversation, text("recordingId"), files, tied)?;
            Ok(match found {
                Some((recording, link)) => json!({
                    "conversationId": conversation, "recordingId": recording, "resultUrl": link, "contentType": "audio/wav",
                }),
                None => json!({ "conversationId": conversation, "errorMsg": "no recording of u-unlisted" }),
            })
        });
        let mut results = asked.collect::<Result<Vec<_>, Problem>>()?;
        if stranger {
            let link = format!("{files}/files/1.wav?signature=of-a-stranger");
            results.push(json!({ "conversationId": "c-of-a-stranger", "recordingId": "rec-1", "resultUrl": link }));
        }
        let errors = results.iter().filter(|result| result.get("errorMsg").is_some()).count();
        Ok(json!({
            "id": id, "jobId": id, "expectedResultCount": results.len(), "resultCount": results.len(), "errorCount": errors,
            "results": results, "selfUri": format!("{ROOT}/{id}"),
        }))
    }
}
