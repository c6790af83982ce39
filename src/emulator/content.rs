use hyper::body::Bytes;

/// What an answer holds: bytes that are there, or text that is made while it is sent.
#[derive(Debug)]
pub(super) enum Content {
    Held(Bytes),
    /// No length is known beforehand, so it goes out in chunks.
    Made(Chunks),
}

/// Text in pieces, each made when it is asked for.
pub(super) struct Chunks(pub Box<dyn Iterator<Item = Bytes> + Send>);

impl std::fmt::Debug for Chunks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Chunks")
    }
}

impl Default for Content {
    fn default() -> Self {
        Content::Held(Bytes::new())
    }
}

impl From<Vec<u8>> for Content {
    fn from(bytes: Vec<u8>) -> Self {
        Content::Held(bytes.into())
    }
}

impl From<String> for Content {
    fn from(text: String) -> Self {
        Content::Held(text.into())
    }
}

impl From<&'static str> for Content {
    fn from(text: &'static str) -> Self {
        Content::Held(Bytes::from_static(text.as_bytes()))
    }
}

impl From<Bytes> for Content {
    fn from(bytes: Bytes) -> Self {
        Content::Held(bytes)
    }
}

impl Content {
    /// The length, where it is known before the content is made.
    pub fn length(&self) -> Option<usize> {
        match self {
            Content::Held(bytes) => Some(bytes.len()),
            Content::Made(_) => None,
        }
    }

    /// The first `limit` bytes of it, as pieces.
    pub fn first(self, limit: usize) -> Chunks {
        let mut left = limit;
        let all: Chunks = self.into();
        Chunks(Box::new(all.0.map_while(move |mut bytes| {
            if left == 0 {
                return None;
            }
            bytes.truncate(left);
            left -= bytes.len();
            Some(bytes)
        })))
    }
}

impl From<Content> for Chunks {
    fn from(content: Content) -> Self {
        match content {
            Content::Held(bytes) => Chunks(Box::new(std::iter::once(bytes))),
            Content::Made(chunks) => chunks,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_falls_where_it_was_told_to_also_within_a_piece() {
        let made = || {
            let pieces = ["abc", "defg", "h"].map(|text| Bytes::from_static(text.as_bytes()));
            Content::Made(Chunks(Box::new(pieces.into_iter())))
        };
        for limit in 0..10 {
            let got: Vec<u8> = made().first(limit).0.flatten().collect();
            assert_eq!(got, b"abcdefgh"[..limit.min(8)], "{limit}");
        }
    }
}
