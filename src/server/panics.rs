//! A panic costs one request, never the process.

use std::{
    any::Any,
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::{Pin, pin},
    task::{Context, Poll},
};

/// What a future left behind when it panicked: its message, for the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Panicked(pub String);

/// Runs a future to its end, or to its panic. The future is dropped before this returns.
pub async fn catch<F: Future>(future: F) -> Result<F::Output, Panicked> {
    struct Catch<'a, F>(Pin<&'a mut F>);
    impl<F: Future> Future for Catch<'_, F> {
        type Output = Result<F::Output, Panicked>;
        fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
            let inner = self.0.as_mut();
            // What the future held is dropped with it and never looked at again.
            match catch_unwind(AssertUnwindSafe(|| inner.poll(context))) {
                Ok(Poll::Pending) => Poll::Pending,
                Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
                Err(payload) => Poll::Ready(Err(Panicked(message(payload.as_ref())))),
            }
        }
    }
    Catch(pin!(future)).await
}

fn message(payload: &(dyn Any + Send)) -> String {
    payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "panic without a message".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_becomes_a_value() {
        assert_eq!(catch(async { 1 }).await, Ok(1));
        let caught = catch(async { panic!("no {}", "way") }).await;
        assert_eq!(caught, Err::<(), _>(Panicked("no way".into())));
    }
}
