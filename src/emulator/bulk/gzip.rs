use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use hyper::body::Bytes;

use crate::emulator::content::Chunks;

/// Whether a client takes gzip, by its `Accept-Encoding`.
pub(super) fn is_accepted(header: Option<&str>) -> bool {
    header.is_some_and(|text| {
        text.split(',').any(|one| {
            let (name, weight) = one.split_once(';').unwrap_or((one, ""));
            let refused = weight.trim().strip_prefix("q=").is_some_and(|q| q.parse::<f32>() == Ok(0.0));
            matches!(name.trim(), "gzip" | "x-gzip" | "*") && !refused
        })
    })
}

/// The same text, packed piece by piece.
pub(super) fn packed(chunks: Chunks) -> Chunks {
    let mut encoder = Some(GzEncoder::new(Vec::new(), Compression::fast()));
    let mut plain = chunks.0;
    Chunks(Box::new(std::iter::from_fn(move || {
        loop {
            let packing = encoder.as_mut()?;
            match plain.next() {
                // Writing into memory does not fail.
                Some(bytes) => packing.write_all(&bytes).ok()?,
                None => return encoder.take()?.finish().ok().map(Bytes::from),
            }
            let done = packing.get_mut();
            if !done.is_empty() {
                return Some(Bytes::from(std::mem::take(done)));
            }
        }
    })))
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn what_was_packed_in_pieces_unpacks_to_the_same_bytes() {
        let text: Vec<u8> = (0..300_000_u32).flat_map(|n| (n / 7).to_le_bytes()).collect();
        let pieces: Vec<Bytes> = text.chunks(70_001).map(Bytes::copy_from_slice).collect();
        let packed: Vec<u8> = packed(Chunks(Box::new(pieces.into_iter()))).0.flatten().collect();
        let mut back = vec![];
        flate2::read::GzDecoder::new(&packed[..]).read_to_end(&mut back).unwrap();
        assert!(back == text && packed.len() < text.len());
    }

    #[test]
    fn gzip_is_sent_only_where_it_was_asked_for() {
        for (header, wanted) in [
            (None, false),
            (Some("gzip"), true),
            (Some("br, gzip;q=0.5"), true),
            (Some("gzip;q=0"), false),
            (Some("identity"), false),
        ] {
            assert_eq!(is_accepted(header), wanted, "{header:?}");
        }
    }
}
