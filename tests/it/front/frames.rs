//! HTTP/2 as bytes: frames are made and read one by one, so that a client may do what no library lets it.

use std::{net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpStream,
};

pub(super) const DATA: u8 = 0;
pub(super) const HEADERS: u8 = 1;
pub(super) const RESET: u8 = 3;
pub(super) const SETTINGS: u8 = 4;
pub(super) const PING: u8 = 6;
pub(super) const GOAWAY: u8 = 7;
pub(super) const CONTINUATION: u8 = 9;

pub(super) const END_STREAM: u8 = 1;
pub(super) const END_HEADERS: u8 = 4;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

pub(super) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// Fields as literals that enter no table.
pub(super) fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    let text = |text: &str| [&[u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
    fields.iter().flat_map(|(name, value)| [vec![0], text(name), text(value)].concat()).collect()
}

/// The fields of a query by somebody who may ask it.
pub(super) const QUERY: [(&str, &str); 6] = [
    (":method", "POST"),
    (":scheme", "http"),
    (":path", "/v1/query"),
    (":authority", "proxy.test"),
    ("authorization", "Bearer T"),
    ("content-type", "application/json"),
];

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) kind: u8,
    pub(super) flags: u8,
    pub(super) stream: u32,
    pub(super) payload: Vec<u8>,
}

impl Frame {
    /// The head of an answer with the status 200.
    pub(super) fn is_fine(&self) -> bool {
        // the static table has it at 8
        self.kind == HEADERS && self.payload.iter().find(|byte| **byte & 0xe0 != 0x20) == Some(&0x88)
    }

    pub(super) fn ends(&self, stream: u32) -> bool {
        self.kind == GOAWAY || self.stream == stream && (self.kind == RESET || self.flags & END_STREAM != 0)
    }
}

/// A client's end of a connection.
pub(super) struct Wire<S> {
    stream: S,
    heard: Vec<u8>,
}

impl Wire<TcpStream> {
    pub(super) async fn open(address: SocketAddr) -> Self {
        Self::over(TcpStream::connect(address).await.unwrap())
    }

    /// The same with its preface and settings sent.
    pub(super) async fn begin(address: SocketAddr, settings: &[u8]) -> Self {
        let mut wire = Self::open(address).await;
        assert!(wire.say(&[PREFACE, &frame(SETTINGS, 0, 0, settings)].concat()).await);
        wire
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    pub(super) fn over(stream: S) -> Self {
        Self { stream, heard: Vec::new() }
    }

    /// `false`: the other side does not take it, or not in time.
    pub(super) async fn say(&mut self, bytes: &[u8]) -> bool {
        matches!(tokio::time::timeout(Duration::from_secs(5), self.stream.write_all(bytes)).await, Ok(Ok(())))
    }

    /// The next frame; `None` when the other side has closed, or says nothing for so long.
    pub(super) async fn hear(&mut self, wait: Duration) -> Option<Frame> {
        loop {
            if let Some((head, rest)) = self.heard.split_at_checked(9) {
                let length = usize::try_from(u32::from_be_bytes([0, head[0], head[1], head[2]])).unwrap();
                if let Some(payload) = rest.get(..length) {
                    let (kind, flags) = (head[3], head[4]);
                    let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
                    let frame = Frame { kind, flags, stream, payload: payload.to_vec() };
                    self.heard.drain(..9 + length);
                    return Some(frame);
                }
            }
            let mut space = vec![0_u8; 16 * 1024];
            match tokio::time::timeout(wait, self.stream.read(&mut space)).await {
                Ok(Ok(many @ 1..)) => self.heard.extend_from_slice(&space[..many]),
                _ => return None,
            }
        }
    }

    /// Frames until one ends this stream or the connection, and that one.
    pub(super) async fn hear_answer(&mut self, stream: u32, wait: Duration) -> Vec<Frame> {
        let mut frames = Vec::new();
        while let Some(frame) = self.hear(wait).await {
            let ends = frame.ends(stream);
            frames.push(frame);
            if ends {
                break;
            }
        }
        frames
    }

    /// Whether the other side ends the connection in time.
    pub(super) async fn is_closed(&mut self, wait: Duration) -> bool {
        let mut space = vec![0_u8; 16 * 1024];
        let closed = async { while let Ok(1..) = self.stream.read(&mut space).await {} };
        tokio::time::timeout(wait, closed).await.is_ok()
    }
}
