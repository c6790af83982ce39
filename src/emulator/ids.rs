use crate::base::RecordId;

/// The digits of record ids, in the order in which ids sort.
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The 18-character id of the `serial`-th record whose ids start with `prefix`; ids sort as their serials do.
pub(super) fn record_id(prefix: &str, serial: u64) -> String {
    let mut body = [b'0'; 10];
    let mut rest = serial;
    for place in body.iter_mut().rev() {
        *place = DIGITS[(rest % 62) as usize];
        rest /= 62;
    }
    let fifteen = format!("{prefix}8d{}", String::from_utf8_lossy(&body));
    fifteen.parse::<RecordId>().map_or(fifteen, |id| id.as_str().to_string())
}

/// The serial in an id of 15 or 18 characters that begins with `prefix`; none where it is no such id.
pub(super) fn serial_of(prefix: &str, id: &str) -> Option<u64> {
    let digits =
        id.get(..15).filter(|_| [15, 18].contains(&id.len()))?.strip_prefix(prefix)?.strip_prefix("8d")?;
    digits.bytes().try_fold(0_u64, |serial, byte| {
        let digit = DIGITS.iter().position(|own| *own == byte)?;
        serial.checked_mul(62)?.checked_add(digit as u64)
    })
}

/// A well-mixed number from a number (splitmix64): deterministic "random" content.
pub(super) fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_as_their_serials_do_and_carry_a_right_check_suffix() {
        let ids: Vec<String> = (0..5000).map(|serial| record_id("001", serial)).collect();
        assert!(ids.is_sorted());
        assert!(ids.iter().zip(0..).all(|(id, serial)| serial_of("001", id) == Some(serial)));
        assert_eq!((serial_of("003", &ids[5]), serial_of("001", "0018d000000")), (None, None));
        assert!(ids.iter().all(|id| id.parse::<RecordId>().unwrap().as_str() == id));
    }
}
