use crate::emulator::base64url;
use crate::emulator::ids::mix;

/// A place in a job's results. Clients see an opaque text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PageLocator {
    /// Which page, from 1.
    pub page: u64,
    /// Rows before it.
    pub given: u64,
    /// Rows it has at most, where the client names no `maxRecords`.
    pub size: u64,
}

impl PageLocator {
    /// The text, good for this job alone.
    pub fn text(&self, job: &str) -> String {
        base64url::encode(
            format!("{}-{}-{}-{}", self.given, self.page, self.size, self.check(job)).as_bytes(),
        )
    }

    /// What a text names in this job; none where this org never gave it out.
    pub fn read(text: &str, job: &str) -> Option<Self> {
        let plain = String::from_utf8(base64url::decode(text)?).ok()?;
        let numbers: Vec<u64> = plain.split('-').map(str::parse).collect::<Result<_, _>>().ok()?;
        let [given, page, size, check] = numbers[..] else { return None };
        let locator = Self { page, given, size };
        (locator.check(job) == check).then_some(locator)
    }

    fn check(&self, job: &str) -> u64 {
        let start = mix(self.given ^ mix(self.page ^ mix(self.size)));
        job.bytes().fold(start, |seed, byte| mix(seed ^ u64::from(byte))) % 10_000
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locator_reads_back_in_its_own_job_only() {
        let locator = PageLocator { page: 3, given: 200_000, size: 100_000 };
        let text = locator.text("7508d0000000001AAA");
        assert_eq!(PageLocator::read(&text, "7508d0000000001AAA"), Some(locator));
        assert_eq!(PageLocator::read(&text, "7508d0000000002AAA"), None);
        for wrong in ["", "null", "MTAwMDA", "x y"] {
            assert_eq!(PageLocator::read(wrong, "7508d0000000001AAA"), None);
        }
    }
}
