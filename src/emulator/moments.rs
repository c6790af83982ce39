/// Writes a moment as `2026-01-02T03:04:05.000` and `zone`. Years 0 to 9999.
pub(super) fn write_time(seconds: i64, zone: &str, out: &mut Vec<u8>) {
    write_date(seconds.div_euclid(86_400), out);
    let second = seconds.rem_euclid(86_400);
    out.push(b'T');
    two(second / 3600, out);
    out.push(b':');
    two(second / 60 % 60, out);
    out.push(b':');
    two(second % 60, out);
    out.extend(b".000");
    out.extend(zone.as_bytes());
}

/// Writes a day, counted from 1970, as `2026-01-02`.
pub(super) fn write_date(days: i64, out: &mut Vec<u8>) {
    let (year, month, day) = civil(days);
    two(year / 100, out);
    two(year % 100, out);
    out.push(b'-');
    two(month, out);
    out.push(b'-');
    two(day, out);
}

fn two(number: i64, out: &mut Vec<u8>) {
    out.push(b'0' + (number / 10 % 10) as u8);
    out.push(b'0' + (number % 10) as u8);
}

/// Year, month and day of a day counted from 1970, by the proleptic Gregorian calendar.
fn civil(days: i64) -> (i64, i64, i64) {
    // Years begin in March here, so that a leap day is the last of its year; an era has 400 of them.
    let since_era_0 = days + 719_468;
    let era = since_era_0.div_euclid(146_097);
    let of_era = since_era_0.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_as_another_calendar_has_them() {
        for seconds in (-3_000_000_000_i64..6_000_000_000).step_by(7_654_321).chain([0, -1, 951_782_400]) {
            let mut out = vec![];
            write_time(seconds, "Z", &mut out);
            let theirs = jiff::Timestamp::from_second(seconds).unwrap();
            assert_eq!(
                String::from_utf8(out).unwrap(),
                theirs.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string()
            );
        }
    }
}
