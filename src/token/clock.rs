use std::sync::OnceLock;
use std::time::Duration;

use crate::base::{Clock, UnixSeconds};

/// The machine's own clocks: the one place in the house where they are read.
#[derive(Debug, Default)]
pub struct SystemClock {
    boot_id: OnceLock<String>,
}

impl SystemClock {
    /// The machine's clocks.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods)] // This is their home.
    fn now(&self) -> UnixSeconds {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        UnixSeconds::new(since.map_or(0, |since| since.as_secs().cast_signed()))
    }

    fn uptime(&self) -> Duration {
        #[cfg(target_os = "linux")]
        let id = rustix::time::ClockId::Boottime;
        #[cfg(not(target_os = "linux"))]
        let id = rustix::time::ClockId::Monotonic;
        let time = rustix::time::clock_gettime(id);
        Duration::new(time.tv_sec.cast_unsigned(), u32::try_from(time.tv_nsec).unwrap_or(0))
    }

    fn boot_id(&self) -> &str {
        self.boot_id.get_or_init(|| {
            let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id");
            id.map(|id| id.trim().to_string()).unwrap_or_default()
        })
    }
}
