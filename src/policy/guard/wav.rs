//! The beginning of a recording: so many seconds of plain PCM out of a RIFF/WAVE file, and nothing else of it.
//!
//! Whatever is not exactly plain PCM is refused, never repaired. What comes out is built anew: a header of our own and
//! whole frames; no other chunk (names, notes, pictures) of the file passes.

/// Bytes of a header with a plain format.
const HEADER: usize = 44;
const PCM: u16 = 1;

/// What the format chunk says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Format {
    channels: u16,
    rate: u32,
    bits: u16,
    /// Bytes of one sample of every channel.
    frame: u16,
}

/// The first `seconds` of a file. `file` may be only the beginning of one, when that is enough.
pub(super) fn cut(file: &[u8], seconds: u32) -> Result<Vec<u8>, &'static str> {
    let mut rest = Bytes(file);
    rest.word(*b"RIFF", "not a RIFF file")?;
    // INVARIANT: what is left of the file never grows, and each chunk is inside what the file says of itself.
    let mut left = u64::from(rest.u32()?);
    rest.word(*b"WAVE", "not a WAVE file")?;
    left = left.checked_sub(4).ok_or("the file says that it is empty")?;
    let mut format = None;
    loop {
        left = left.checked_sub(8).ok_or("the file ends before its sound")?;
        let name = rest.take(4)?;
        let size = rest.u32()?;
        left = left.checked_sub(u64::from(size)).ok_or("a part of the file is larger than the file")?;
        match (name, format) {
            (b"fmt ", None) => format = Some(self::format(rest.take(length(size)?)?)?),
            (b"fmt ", Some(_)) => return Err("two formats"),
            (b"data", Some(format)) => return sound(rest, size, format, seconds),
            (b"data", None) => return Err("sound before its format"),
            _ => {
                rest.take(length(size)?)?;
            }
        }
        if size % 2 == 1 {
            left = left.checked_sub(1).ok_or("the file ends inside a part")?;
            rest.take(1)?;
        }
    }
}

fn format(chunk: &[u8]) -> Result<Format, &'static str> {
    let mut fields = Bytes(chunk);
    let (tag, channels, rate) = (fields.u16()?, fields.u16()?, fields.u32()?);
    let (speed, frame, bits) = (fields.u32()?, fields.u16()?, fields.u16()?);
    // a longer one says that it has nothing more to say
    let whole = match chunk.len() {
        16 => true,
        18 => fields.u16()? == 0,
        _ => false,
    };
    if tag != PCM || !whole {
        return Err("not plain PCM");
    }
    let plain = (1..=8).contains(&channels) && (1..=384_000).contains(&rate) && matches!(bits, 8 | 16 | 24 | 32);
    let of_a_frame = u32::from(channels) * u32::from(bits / 8);
    if !plain || u32::from(frame) != of_a_frame || u64::from(speed) != u64::from(rate) * u64::from(of_a_frame) {
        return Err("a format that contradicts itself");
    }
    Ok(Format { channels, rate, bits, frame })
}

/// A file of our own with the beginning of this sound.
fn sound(mut rest: Bytes<'_>, size: u32, format: Format, seconds: u32) -> Result<Vec<u8>, &'static str> {
    if !size.is_multiple_of(u32::from(format.frame)) {
        return Err("sound that is no whole frames");
    }
    let most = u64::from(seconds) * u64::from(format.rate) * u64::from(format.frame);
    let kept = u32::try_from(most.min(u64::from(size))).map_err(|_| "more sound than a file can hold")?;
    let sound = rest.take(length(kept)?)?;
    // parts of a file have even places
    let padded = kept.checked_add(kept % 2).ok_or("more sound than a file can hold")?;
    let riff = padded.checked_add(36).ok_or("more sound than a file can hold")?;
    let mut out = Vec::with_capacity(HEADER.saturating_add(sound.len()).saturating_add(1));
    let speed = format.rate.checked_mul(u32::from(format.frame)).ok_or("more sound than a file can hold")?;
    out.extend_from_slice(b"RIFF");
    out.extend_from_slice(&riff.to_le_bytes());
    out.extend_from_slice(b"WAVEfmt ");
    out.extend_from_slice(&16u32.to_le_bytes());
    out.extend_from_slice(&PCM.to_le_bytes());
    out.extend_from_slice(&format.channels.to_le_bytes());
    out.extend_from_slice(&format.rate.to_le_bytes());
    out.extend_from_slice(&speed.to_le_bytes());
    out.extend_from_slice(&format.frame.to_le_bytes());
    out.extend_from_slice(&format.bits.to_le_bytes());
    out.extend_from_slice(b"data");
    out.extend_from_slice(&kept.to_le_bytes());
    out.extend_from_slice(sound);
    if kept % 2 == 1 {
        out.push(0);
    }
    Ok(out)
}

fn length(size: u32) -> Result<usize, &'static str> {
    usize::try_from(size).map_err(|_| "a part of the file is larger than the file")
}

/// What is left to be read.
#[derive(Debug, Clone, Copy)]
struct Bytes<'b>(&'b [u8]);

impl<'b> Bytes<'b> {
    fn take(&mut self, length: usize) -> Result<&'b [u8], &'static str> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or("the file breaks off")?;
        self.0 = rest;
        Ok(taken)
    }

    fn word(&mut self, due: [u8; 4], why: &'static str) -> Result<(), &'static str> {
        if self.take(4)? == due { Ok(()) } else { Err(why) }
    }

    fn u16(&mut self) -> Result<u16, &'static str> {
        self.take(2)?.try_into().map(u16::from_le_bytes).map_err(|_| "the file breaks off")
    }

    fn u32(&mut self) -> Result<u32, &'static str> {
        self.take(4)?.try_into().map(u32::from_le_bytes).map_err(|_| "the file breaks off")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A file with these parts before its sound, and a part after it.
    fn file(channels: u16, rate: u32, bits: u16, before: &[(&[u8; 4], &[u8])], sound: &[u8]) -> Vec<u8> {
        let frame = channels * (bits / 8);
        let mut parts = Vec::new();
        let mut part = |name: &[u8; 4], content: &[u8]| {
            parts.extend_from_slice(name);
            parts.extend_from_slice(&u32::try_from(content.len()).unwrap().to_le_bytes());
            parts.extend_from_slice(content);
            parts.extend(std::iter::repeat_n(0, content.len() % 2));
        };
        for (name, content) in before {
            part(name, content);
        }
        let mut format = Vec::new();
        format.extend_from_slice(&1u16.to_le_bytes());
        format.extend_from_slice(&channels.to_le_bytes());
        format.extend_from_slice(&rate.to_le_bytes());
        format.extend_from_slice(&(rate * u32::from(frame)).to_le_bytes());
        format.extend_from_slice(&frame.to_le_bytes());
        format.extend_from_slice(&bits.to_le_bytes());
        part(b"fmt ", &format);
        part(b"data", sound);
        part(b"LIST", b"INFOname of the customer");
        let mut out = b"RIFF".to_vec();
        out.extend_from_slice(&u32::try_from(parts.len() + 4).unwrap().to_le_bytes());
        out.extend_from_slice(b"WAVE");
        out.extend_from_slice(&parts);
        out
    }

    fn sound(bytes: usize) -> Vec<u8> {
        (0..bytes).map(|at| u8::try_from(at * 7 % 251).unwrap()).collect()
    }

    #[test]
    fn the_first_seconds_pass_to_the_byte_and_nothing_else() {
        for (channels, rate, bits) in [(1, 8_000, 16), (2, 8_000, 16), (1, 11_025, 8), (2, 44_100, 24), (1, 7, 8)] {
            let second = usize::from(channels) * usize::from(bits / 8) * usize::try_from(rate).unwrap();
            let all = sound(second * 20);
            let before: &[(&[u8; 4], &[u8])] = &[(b"bext", b"secret"), (b"odd ", b"xyz")];
            let cut = cut(&file(channels, rate, bits, before, &all), 15).unwrap();
            let due = &all[..second * 15];
            assert_eq!(&cut[44..44 + due.len()], due);
            let padded = due.len() + due.len() % 2;
            assert_eq!(cut.len(), 44 + padded);
            assert_eq!(cut[4..8], u32::try_from(36 + padded).unwrap().to_le_bytes());
            assert_eq!(cut[40..44], u32::try_from(due.len()).unwrap().to_le_bytes());
            for word in ["secret", "customer", "LIST"] {
                assert!(!cut.windows(word.len()).any(|bytes| bytes == word.as_bytes()), "{word}");
            }
            // once is enough
            assert_eq!(super::cut(&cut, 15).unwrap(), cut);
        }
    }

    #[test]
    fn a_short_recording_passes_whole_and_the_beginning_of_a_file_is_enough() {
        let short = sound(8_000);
        let cut = cut(&file(1, 8_000, 16, &[], &short), 15).unwrap();
        assert_eq!(&cut[44..], short);
        let long = file(1, 8_000, 16, &[], &sound(16_000 * 20));
        let due = super::cut(&long, 15).unwrap();
        assert_eq!(super::cut(&long[..44 + 16_000 * 15], 15).unwrap(), due);
        assert_eq!(super::cut(&long[..44 + 16_000 * 15 - 1], 15), Err("the file breaks off"));
    }

    #[test]
    fn whatever_is_not_plain_pcm_is_refused() {
        let whole = file(1, 8_000, 16, &[], &sound(32_000));
        let with = |at: usize, bytes: &[u8]| {
            let mut other = whole.clone();
            other[at..at + bytes.len()].copy_from_slice(bytes);
            cut(&other, 15).unwrap_err()
        };
        assert_eq!(with(0, b"RIFX"), "not a RIFF file");
        assert_eq!(with(8, b"AVI "), "not a WAVE file");
        assert_eq!(with(4, &3u32.to_le_bytes()), "the file says that it is empty");
        assert_eq!(with(4, &4u32.to_le_bytes()), "the file ends before its sound");
        assert_eq!(with(4, &60u32.to_le_bytes()), "a part of the file is larger than the file");
        assert_eq!(with(16, &u32::MAX.to_le_bytes()), "a part of the file is larger than the file");
        assert_eq!(with(40, &u32::MAX.to_le_bytes()), "a part of the file is larger than the file");
        // mu-law, floating point, extensible
        for tag in [7u16, 3, 0xfffe, 0] {
            assert_eq!(with(20, &tag.to_le_bytes()), "not plain PCM");
        }
        for (at, bytes) in [(22, [0, 0]), (22, [9, 0]), (32, [0, 0]), (32, [4, 0]), (34, [0, 0]), (34, [12, 0])] {
            assert_eq!(with(at, &bytes), "a format that contradicts itself");
        }
        assert_eq!(with(24, &0u32.to_le_bytes()), "a format that contradicts itself");
        assert_eq!(with(24, &u32::MAX.to_le_bytes()), "a format that contradicts itself");
        assert_eq!(with(28, &1u32.to_le_bytes()), "a format that contradicts itself");
        assert_eq!(with(40, &31_999u32.to_le_bytes()), "sound that is no whole frames");
        assert_eq!(with(12, b"data"), "sound before its format");
        assert_eq!(with(36, b"fmt "), "two formats");
        assert_eq!(cut(b"", 15), Err("the file breaks off"));
        assert_eq!(cut(b"<!doctype html><title>Maintenance</title>", 15), Err("not a RIFF file"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        /// Whatever stands in a header: no panic, and what comes out is a beginning of what went in, no longer than asked.
        #[test]
        fn no_header_brings_out_more_than_the_first_seconds(
            changes in prop::collection::vec((0usize..120, any::<u8>()), 0..12),
            large in prop::option::of((0usize..14, prop::sample::select(vec![0u32, 1, 2, 7, 0x7fff_ffff, 0xffff_fffe, u32::MAX]))),
            end in 0usize..4_000,
            seconds in 0u32..40,
        ) {
            let mut file = file(2, 50, 16, &[(b"junk", b"12345")], &sound(2_000));
            for (at, byte) in changes {
                file[at] = byte;
            }
            if let Some((at, number)) = large {
                file[at * 4..at * 4 + 4].copy_from_slice(&number.to_le_bytes());
            }
            file.truncate(end);
            if let Ok(cut) = cut(&file, seconds) {
                let format = format(&cut[20..36]).unwrap();
                let kept = usize::try_from(u32::from_le_bytes(cut[40..44].try_into().unwrap())).unwrap();
                let most = usize::try_from(seconds).unwrap() * usize::try_from(format.rate).unwrap() * usize::from(format.frame);
                prop_assert!(kept <= most && kept % usize::from(format.frame) == 0);
                prop_assert_eq!(cut.len(), 44 + kept + kept % 2);
                let sound = &cut[44..44 + kept];
                prop_assert!(kept == 0 || file.windows(kept).any(|bytes| bytes == sound));
                prop_assert_eq!(super::cut(&cut, seconds).unwrap(), cut);
            }
        }
    }
}
