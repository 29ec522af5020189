//! Chunked bodies, read strictly and framed anew: hyper sees no extension, no trailer and no odd line.

use super::head::Fault;

#[derive(Debug)]
pub(super) struct Chunks {
    state: State,
    line: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Size,
    Data(u64),
    DataEnd,
    Last,
    Done,
}

/// Longest line with a size and its extensions.
const LINE: usize = 256;

impl Chunks {
    pub(super) fn new() -> Self {
        Self { state: State::Size, line: Vec::new() }
    }

    pub(super) fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Takes what came, writes canonical chunks, and says how many bytes it took.
    pub(super) fn take(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result<usize, Fault> {
        let mut rest = input;
        while !rest.is_empty() && !self.is_done() {
            if let State::Data(left) = self.state {
                let many = usize::try_from(left).unwrap_or(usize::MAX).min(rest.len());
                let (data, after) = rest.split_at_checked(many).unwrap_or((rest, &[]));
                output.extend_from_slice(format!("{:x}\r\n", data.len()).as_bytes());
                output.extend_from_slice(data);
                output.extend_from_slice(b"\r\n");
                rest = after;
                let left = left.saturating_sub(data.len() as u64);
                self.state = if left == 0 { State::DataEnd } else { State::Data(left) };
                continue;
            }
            let Some((byte, after)) = rest.split_first() else { break };
            rest = after;
            self.line_byte(*byte, output)?;
        }
        Ok(input.len().saturating_sub(rest.len()))
    }

    fn line_byte(&mut self, byte: u8, output: &mut Vec<u8>) -> Result<(), Fault> {
        if byte != b'\n' {
            if self.line.last() == Some(&b'\r') || self.line.len() >= LINE {
                return Err(Fault::Malformed("a line of the chunked body is not one"));
            }
            self.line.push(byte);
            return Ok(());
        }
        let line = std::mem::take(&mut self.line);
        let Some(line) = line.strip_suffix(b"\r") else {
            return Err(Fault::Malformed("a line of the chunked body ends in a bare line feed"));
        };
        self.state = match self.state {
            State::Size => match size(line)? {
                0 => State::Last,
                size => State::Data(size),
            },
            State::DataEnd if line.is_empty() => State::Size,
            State::Last if line.is_empty() => {
                output.extend_from_slice(b"0\r\n\r\n");
                State::Done
            }
            State::Last => return Err(Fault::Malformed("trailers are not accepted")),
            State::DataEnd | State::Data(_) | State::Done => {
                return Err(Fault::Malformed("a chunk is longer than its size says"));
            }
        };
        Ok(())
    }
}

fn size(line: &[u8]) -> Result<u64, Fault> {
    const BAD: Fault = Fault::Malformed("the size of a chunk is not a short hexadecimal number");
    let mut parts = line.splitn(2, |byte| *byte == b';');
    let digits = parts.next().unwrap_or_default();
    let extension = parts.next().unwrap_or_default();
    if digits.is_empty() || digits.len() > 8 || !digits.iter().all(u8::is_ascii_hexdigit) {
        return Err(BAD);
    }
    if !extension.iter().all(|byte| (b' '..=b'~').contains(byte) || *byte == b'\t') {
        return Err(Fault::Malformed("a chunk extension holds a control character"));
    }
    std::str::from_utf8(digits).ok().and_then(|digits| u64::from_str_radix(digits, 16).ok()).ok_or(BAD)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(input: &[u8]) -> Result<(String, bool), Fault> {
        let mut chunks = Chunks::new();
        let mut output = Vec::new();
        for byte in input {
            chunks.take(&[*byte], &mut output)?;
        }
        Ok((String::from_utf8(output).unwrap(), chunks.is_done()))
    }

    #[test]
    fn is_framed_anew() {
        assert_eq!(read(b"2;a=b\r\nhi\r\n0\r\n\r\n"), Ok(("1\r\nh\r\n1\r\ni\r\n0\r\n\r\n".into(), true)));
        let mut output = Vec::new();
        let took = Chunks::new().take(b"A\r\n0123456789\r\n0\r\n\r\nGET", &mut output).unwrap();
        assert_eq!((took, output), (20, b"a\r\n0123456789\r\n0\r\n\r\n".to_vec()));
    }

    #[test]
    fn refuses_what_could_be_read_in_two_ways() {
        for bad in [
            &b"+2\r\nhi\r\n"[..],
            b"2\nhi\r\n",
            b"2\r\nhi\n",
            b"2 \r\nhi\r\n",
            b"\r\n",
            b"2\r\nhix\r\n",
            b"2\r\rx",
            b"0x2\r\n",
            b"2;\0\r\n",
            b"100000000\r\n",
            b"0\r\nX: y\r\n\r\n",
        ] {
            assert!(read(bad).is_err(), "{:?}", String::from_utf8_lossy(bad));
        }
    }
}
