//! The head gate: a byte stream in front of hyper that lets a head through only after it was read strictly.
//!
//! hyper sees canonical heads, bodies of stated length as they are, and chunked bodies framed anew, so no second
//! reading of a client's framing exists. A fault is announced to hyper as one last request with the target `*`,
//! which no client can send; the fault itself stands in the slot that the connection shares with the gate.

use super::{
    Settings,
    chunks::Chunks,
    head::{self, Fault, Framing},
    turn::Turn,
};
use std::{
    future::Future,
    io,
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

pub(super) struct Gate<S> {
    stream: S,
    settings: Arc<Settings>,
    fault: Arc<OnceLock<Fault>>,
    turn: Arc<Turn>,
    phase: Phase,
    /// Came, and not yet read.
    raw: Vec<u8>,
    /// How much of `raw` was searched for the end of the head.
    searched: usize,
    /// An empty line stood before this head.
    empty_line: bool,
    /// Read, and not yet taken by hyper.
    ready: Vec<u8>,
    taken: usize,
    requests: u64,
    eof: bool,
    head_limit: Option<Pin<Box<Sleep>>>,
    /// Of the answer that is being written, from its first byte until its last was taken: no request renews it.
    answer_limit: Option<Pin<Box<Sleep>>>,
    linger: Linger,
}

enum Phase {
    Head,
    Body(u64),
    Chunked(Chunks),
    /// No further request on this connection; what still comes is thrown away.
    Last,
}

enum Linger {
    Open,
    Shut { left: usize, limit: Pin<Box<Sleep>> },
}

/// A client that is still sending when it is refused gets this long, and may send this much, to read the answer.
const LINGER_TIME: Duration = Duration::from_secs(1);
const LINGER_BYTES: usize = 2 * 1024 * 1024;

const TOO_LARGE: Fault = Fault::TooLarge("the head is too large");

pub(super) const ANNOUNCEMENT: &[u8] = b"OPTIONS * HTTP/1.1\r\nhost: gate\r\nconnection: close\r\n\r\n";

impl<S: AsyncRead + AsyncWrite + Unpin> Gate<S> {
    pub(super) fn new(stream: S, settings: Arc<Settings>, fault: Arc<OnceLock<Fault>>, turn: Arc<Turn>) -> Self {
        Self {
            stream,
            settings,
            fault,
            turn,
            phase: Phase::Head,
            raw: Vec::new(),
            searched: 0,
            empty_line: false,
            ready: Vec::new(),
            taken: 0,
            requests: 0,
            eof: false,
            head_limit: None,
            answer_limit: None,
            linger: Linger::Open,
        }
    }

    /// Turns what came into what hyper may see. `false`: more bytes are needed.
    fn advance(&mut self) -> Result<bool, Fault> {
        match &mut self.phase {
            Phase::Head => self.head(),
            Phase::Body(0) => {
                self.phase = Phase::Head;
                Ok(true)
            }
            Phase::Body(left) => {
                let many = usize::try_from(*left).unwrap_or(usize::MAX).min(self.raw.len());
                *left = left.saturating_sub(many as u64);
                self.ready.extend(self.raw.drain(..many));
                Ok(many > 0)
            }
            Phase::Chunked(chunks) => {
                let took = chunks.take(&self.raw, &mut self.ready)?;
                self.raw.drain(..took);
                if chunks.is_done() {
                    self.phase = Phase::Last;
                }
                Ok(took > 0)
            }
            Phase::Last => {
                self.raw.clear();
                Ok(false)
            }
        }
    }

    fn head(&mut self) -> Result<bool, Fault> {
        // One empty line before a request line is an old client's habit and means nothing.
        if !self.empty_line && self.raw.starts_with(b"\r\n") {
            self.raw.drain(..2);
            (self.empty_line, self.searched) = (true, 0);
        }
        let Some(end) = self.head_end()? else { return Ok(false) };
        self.requests = self.requests.saturating_add(1);
        let close = self.requests >= self.settings.requests_per_connection;
        let bytes: Vec<u8> = self.raw.drain(..end).collect();
        (self.searched, self.empty_line) = (0, false);
        self.head_limit = None;
        let mut head = head::read(&bytes, &self.settings, close)?;
        self.ready.append(&mut head.canonical);
        self.phase = match head.framing {
            Framing::Length(length) => Phase::Body(length),
            Framing::Chunked => Phase::Chunked(Chunks::new()),
        };
        Ok(true)
    }

    /// Just after the empty line. Lines end in CR LF and in nothing else; refused at the first byte that differs.
    fn head_end(&mut self) -> Result<Option<usize>, Fault> {
        if self.raw.first().is_some_and(|first| !first.is_ascii_uppercase() && *first != b'\r') {
            return Err(Fault::Malformed("this is not an HTTP/1 request"));
        }
        while let Some(byte) = self.raw.get(self.searched) {
            let at = self.searched;
            if at >= self.settings.head_bytes {
                return Err(TOO_LARGE);
            }
            self.searched = at.saturating_add(1);
            let before = at.checked_sub(1).and_then(|at| self.raw.get(at));
            if (*byte == b'\n') != (before == Some(&b'\r')) {
                return Err(Fault::Malformed("a line of the head does not end in CR LF"));
            }
            if self.raw.get(..self.searched).is_some_and(|head| head.ends_with(b"\r\n\r\n")) {
                return Ok(Some(self.searched));
            }
        }
        Ok(None)
    }

    /// A fault in a head is answered by the handler; one in a body breaks the body that the handler is reading.
    fn announce(&mut self, fault: Fault) -> io::Result<()> {
        let in_body = matches!(self.phase, Phase::Chunked(_));
        self.phase = Phase::Last;
        self.raw.clear();
        self.head_limit = None;
        if in_body {
            let (Fault::Malformed(why) | Fault::TooLarge(why) | Fault::Timeout(why)) = fault;
            return Err(io::Error::new(io::ErrorKind::InvalidData, why));
        }
        // The first fault is the only one: nothing is read after it.
        if self.fault.set(fault).is_ok() {
            self.ready.extend_from_slice(ANNOUNCEMENT);
        }
        Ok(())
    }

    fn poll_stream(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut space = [0_u8; 8 * 1024];
        let mut space = ReadBuf::new(&mut space);
        ready!(Pin::new(&mut self.stream).poll_read(context, &mut space))?;
        self.raw.extend_from_slice(space.filled());
        Poll::Ready(Ok(space.filled().len()))
    }

    fn poll_head_limit(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if !matches!(self.phase, Phase::Head) || self.raw.is_empty() {
            return Poll::Pending;
        }
        let time = self.settings.head_time;
        self.head_limit.get_or_insert_with(|| Box::pin(sleep(time))).as_mut().poll(context)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Gate<S> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, space: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let gate = self.get_mut();
        loop {
            if let Some(ready) = gate.ready.get(gate.taken..).filter(|ready| !ready.is_empty()) {
                let many = ready.len().min(space.remaining());
                space.put_slice(ready.get(..many).unwrap_or_default());
                gate.taken = gate.taken.saturating_add(many);
                return Poll::Ready(Ok(()));
            }
            gate.ready.clear();
            gate.taken = 0;
            match gate.advance() {
                Ok(true) => continue,
                Ok(false) => {}
                Err(fault) => {
                    gate.announce(fault)?;
                    continue;
                }
            }
            if gate.eof {
                // After a fault the client has said all it can; its answer is still to be written.
                return if gate.fault.get().is_some() { Poll::Pending } else { Poll::Ready(Ok(())) };
            }
            match gate.poll_stream(context)? {
                Poll::Ready(0) => gate.eof = true,
                Poll::Ready(_) => {}
                Poll::Pending => {
                    ready!(gate.poll_head_limit(context));
                    gate.announce(Fault::Timeout("the head did not arrive in time"))?;
                }
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Gate<S> {
    /// The time of an answer begins with its first byte, not while it is waited for: flushing nothing begins none.
    fn begins(&mut self) {
        let time = self.settings.answer_time;
        self.answer_limit.get_or_insert_with(|| Box::pin(sleep(time)));
    }

    /// A client that reads a little of its answer again and again does not hold it in memory and its connection for ever.
    fn timed<T>(&mut self, context: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if self.answer_limit.as_mut().is_some_and(|limit| limit.as_mut().poll(context).is_ready()) {
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the client reads its answer too slowly")));
        }
        written
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Gate<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let gate = self.get_mut();
        gate.begins();
        let written = Pin::new(&mut gate.stream).poll_write(context, bytes);
        gate.timed(context, written)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let gate = self.get_mut();
        gate.begins();
        let written = Pin::new(&mut gate.stream).poll_write_vectored(context, bytes);
        gate.timed(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let gate = self.get_mut();
        let written = Pin::new(&mut gate.stream).poll_flush(context);
        if matches!(written, Poll::Ready(Ok(()))) && gate.turn.written() {
            gate.answer_limit = None;
        }
        gate.timed(context, written)
    }

    /// Closing with unread bytes would reset the connection and take the answer with it, so they are read first.
    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let gate = self.get_mut();
        if matches!(gate.linger, Linger::Open) {
            ready!(Pin::new(&mut gate.stream).poll_shutdown(context))?;
            gate.linger = Linger::Shut { left: LINGER_BYTES, limit: Box::pin(sleep(LINGER_TIME)) };
        }
        let unread = matches!(gate.phase, Phase::Last | Phase::Body(1..) | Phase::Chunked(_)) || !gate.raw.is_empty();
        if gate.eof || !unread {
            return Poll::Ready(Ok(()));
        }
        loop {
            gate.raw.clear();
            let many = match gate.poll_stream(context) {
                Poll::Ready(Ok(many)) => many,
                Poll::Ready(Err(_)) => 0,
                Poll::Pending => {
                    let Linger::Shut { limit, .. } = &mut gate.linger else { return Poll::Ready(Ok(())) };
                    return limit.as_mut().poll(context).map(Ok);
                }
            };
            let Linger::Shut { left, .. } = &mut gate.linger else { return Poll::Ready(Ok(())) };
            *left = left.saturating_sub(many);
            if many == 0 || *left == 0 {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};

    const HEAD: &[u8] = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n";

    /// A gate, and the client at its other end; a client that reads nothing takes 16 bytes all the same.
    fn gate(answer_time: Duration) -> (Gate<DuplexStream>, DuplexStream) {
        let (near, far) = duplex(16);
        let settings = Settings { answer_time, ..Settings::default() };
        (Gate::new(near, Arc::new(settings), Arc::default(), Arc::default()), far)
    }

    async fn asks(gate: &mut Gate<DuplexStream>, client: &mut DuplexStream) {
        let mut space = [0_u8; 128];
        let (sent, read) = tokio::join!(client.write_all(HEAD), gate.read(&mut space));
        sent.unwrap();
        assert!(read.unwrap() > 0);
    }

    /// Writes answers of many bytes to somebody who takes one byte after the other, without end and without delay: each of
    /// his reads is progress. Gives why it ended.
    async fn drip(gate: &mut Gate<DuplexStream>, client: &mut DuplexStream) -> io::Error {
        let reads = async {
            let mut one = [0_u8; 1];
            while client.read(&mut one).await.is_ok() {}
        };
        let writes = async {
            loop {
                if let Err(error) = gate.write_all(&[b'x'; 64]).await {
                    return error;
                }
            }
        };
        tokio::select! { () = reads => panic!("he reads on"), error = writes => error }
    }

    const LONG: Duration = Duration::from_hours(24);

    #[tokio::test]
    async fn an_answer_that_is_read_byte_by_byte_has_an_end() {
        let (mut gate, mut client) = gate(Duration::ZERO);
        asks(&mut gate, &mut client).await;
        let why = drip(&mut gate, &mut client).await;
        assert_eq!((why.kind(), why.to_string().contains("too slowly")), (io::ErrorKind::TimedOut, true));
    }

    /// The service takes the next request, and hyper has nothing more to write.
    async fn turns(gate: &mut Gate<DuplexStream>) {
        let turn = Arc::clone(&gate.turn);
        let ((), flushed) = tokio::join!(turn.comes(), gate.flush());
        flushed.unwrap();
    }

    async fn answers(gate: &mut Gate<DuplexStream>, client: &mut DuplexStream) -> tokio::time::Instant {
        gate.write_all(b"HTTP/1.1 204\r\n").await.unwrap();
        let mut space = [0_u8; 32];
        assert!(client.read(&mut space).await.unwrap() > 0);
        gate.answer_limit.as_ref().unwrap().deadline()
    }

    #[tokio::test]
    async fn each_answer_has_its_own_time_and_idle_connections_none() {
        let (mut gate, mut client) = gate(LONG);
        let mut before = tokio::time::Instant::now() + LONG / 2;
        for _ in 0..3 {
            asks(&mut gate, &mut client).await;
            turns(&mut gate).await;
            assert!(gate.answer_limit.is_none(), "nothing is written yet");
            let due = answers(&mut gate, &mut client).await;
            assert!(due > before);
            before = due;
        }
    }

    #[tokio::test]
    async fn a_request_that_comes_before_its_turn_renews_no_answer() {
        let (mut gate, mut client) = gate(LONG);
        asks(&mut gate, &mut client).await;
        turns(&mut gate).await;
        let due = answers(&mut gate, &mut client).await;
        for _ in 0..3 {
            asks(&mut gate, &mut client).await;
            gate.flush().await.unwrap();
            assert_eq!(answers(&mut gate, &mut client).await, due);
        }
        turns(&mut gate).await;
        assert!(gate.answer_limit.is_none());
    }
}
