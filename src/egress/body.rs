//! Reading a body up to a limit.

use bytes::Bytes;
use http_body_util::BodyExt as _;

#[derive(Debug, thiserror::Error)]
pub enum ReadFailed {
    #[error("more than {limit} bytes")]
    TooLarge { limit: usize },
    #[error("broke off: {0}")]
    Broken(String),
}

/// Reads the whole body, or stops as soon as it is larger than `limit`.
pub async fn read_capped<B>(mut body: B, limit: usize) -> Result<Vec<u8>, ReadFailed>
where
    B: http_body::Body<Data = Bytes> + Unpin,
    B::Error: std::fmt::Display,
{
    let hint = body.size_hint();
    if hint.lower() > u64::try_from(limit).unwrap_or(u64::MAX) {
        return Err(ReadFailed::TooLarge { limit });
    }
    let expected = hint.exact().and_then(|size| usize::try_from(size).ok()).unwrap_or(0);
    let mut read = Vec::with_capacity(expected.min(limit));
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|why| ReadFailed::Broken(why.to_string()))?;
        if let Ok(data) = frame.into_data() {
            if data.len() > limit.saturating_sub(read.len()) {
                return Err(ReadFailed::TooLarge { limit });
            }
            read.extend_from_slice(&data);
        }
    }
    Ok(read)
}

/// Reads the beginning of a body: all of it, or `limit` bytes.
pub async fn read_beginning<B>(mut body: B, limit: usize) -> Result<Vec<u8>, ReadFailed>
where
    B: http_body::Body<Data = Bytes> + Unpin,
    B::Error: std::fmt::Display,
{
    let mut read = Vec::new();
    while read.len() < limit
        && let Some(frame) = body.frame().await
    {
        let frame = frame.map_err(|why| ReadFailed::Broken(why.to_string()))?;
        if let Ok(data) = frame.into_data() {
            let left = limit.saturating_sub(read.len()).min(data.len());
            read.extend_from_slice(data.get(..left).unwrap_or_default());
        }
    }
    Ok(read)
}
