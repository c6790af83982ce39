use std::io::{Error, ErrorKind, Write};
use std::sync::{Arc, Mutex};

use super::conformance::{done, id, landing, page, row, under_way, whole};
use crate::base::{Explain, Fault};
use crate::sync::destination::*;

/// What was printed, seen while it is.
#[derive(Clone, Default)]
struct Screen(Arc<Mutex<Vec<u8>>>);

impl Screen {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Screen {
    fn write(&mut self, text: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(text)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_page_is_printed_when_it_is_whole() {
    let screen = Screen::default();
    let mut lines = Lines::new(screen.clone());
    assert!(!lines.keeps());
    let landing = landing("r1", 1);
    assert_eq!(lines.checkpoint().unwrap(), None);
    lines.begin(&landing).unwrap();
    lines.begin_page().unwrap();
    lines.rows(Rows { text: row(1, "half", 1, false).as_bytes(), count: 1 }).unwrap();
    lines.discard_page().unwrap();
    assert_eq!(screen.text(), "");
    let mut checkpoint = under_way(&landing);
    let landed =
        page(&mut lines, &[row(1, "a \"b\"", 1, false), row(2, "", 1, true)], &mut checkpoint).unwrap();
    assert_eq!(landed, Landed { written: 2, deleted: 1, ..Landed::default() });
    assert_eq!(checkpoint.run.as_ref().map(|run| (run.received, run.written)), Some((2, 2)));
    let line = |number: u32, name: &str, deleted: bool| {
        format!(
            "{{\"Id\":\"{}\",\"Name\":{name},\"Owner.Name\":null,\"Amount\":1.5,\"Count\":7,\"IsDeleted\":{deleted},\
             \"SystemModstamp\":\"2026-01-02T00:00:01.000Z\"}}\n",
            id(number)
        )
    };
    assert_eq!(screen.text(), line(1, "\"a \\\"b\\\"\"", false) + &line(2, "null", true));
    lines.gone(&mut [id(1)].into_iter(), UnixSeconds::new(0), &checkpoint).unwrap();
    assert!(
        screen
            .text()
            .ends_with("{\"Id\":\"001000000000001AAA\",\"_sfmint_deleted_at\":\"1970-01-01T00:00:00Z\"}\n")
    );
    lines.publish(&done(&landing, None)).unwrap();
    assert_eq!(lines.begin_page().unwrap_err().code(), "destination.out_of_order");
}

#[test]
fn a_page_larger_than_memory_waits_in_a_file_and_comes_out_in_order() {
    let screen = Screen::default();
    let mut lines = Lines::new(screen.clone());
    lines.begin(&whole("r1", 1)).unwrap();
    lines.begin_page().unwrap();
    let long = "x".repeat(1 << 20);
    for number in 0..20 {
        lines.rows(Rows { text: row(number, &long, 1, false).as_bytes(), count: 1 }).unwrap();
    }
    assert_eq!(screen.text(), "");
    let landed = lines.commit_page(&mut under_way(&whole("r1", 1))).unwrap();
    assert_eq!(landed.written, 20);
    let text = screen.text();
    let ids: Vec<&str> = text.lines().map(|line| &line[7..25]).collect();
    assert_eq!(ids, (0..20).map(id).collect::<Vec<_>>());
}

// faults B20
#[test]
fn a_reader_that_went_away_has_an_error_of_its_own() {
    struct Gone(ErrorKind);
    impl Write for Gone {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(Error::from(self.0))
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    for (kind, code) in [
        (ErrorKind::BrokenPipe, "destination.closed"),
        (ErrorKind::StorageFull, "destination.full"),
        (ErrorKind::Other, "destination.io"),
    ] {
        let mut lines = Lines::new(Gone(kind));
        lines.begin(&landing("r1", 1)).unwrap();
        let error =
            page(&mut lines, &[row(1, "a", 1, false)], &mut under_way(&landing("r1", 1))).unwrap_err();
        assert_eq!((error.code(), error.fault()), (code, Fault::Disk));
    }
}
