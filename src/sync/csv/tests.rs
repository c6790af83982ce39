use proptest::prelude::*;

use super::*;
use crate::base::job::Nul;
use crate::base::{Explain, Fault};
use crate::sync::{Column, ColumnKind, Rows};

fn columns(names: &[&str]) -> Vec<Column> {
    names.iter().map(|name| Column::new(*name, ColumnKind::Text)).collect()
}

/// What a page comes to, cut at `cuts`: the rows' text, and how many they are.
fn read(page: &[u8], cuts: &[usize], names: &[&str]) -> Result<(Vec<u8>, u64), PageError> {
    let mut cutter = RowCutter::new(&columns(names));
    let (mut text, mut count) = (Vec::new(), 0);
    let mut from = 0;
    for at in cuts.iter().copied().chain([page.len()]) {
        for rows in cutter.push(&page[from..at])? {
            assert!(rows.count > 0 && !rows.text.is_empty());
            text.extend_from_slice(rows.text);
            count += rows.count;
        }
        from = at;
    }
    if let Some(rows) = cutter.finish()? {
        text.extend_from_slice(rows.text);
        count += rows.count;
    }
    assert_eq!(cutter.rows(), count);
    Ok((text, count))
}

fn values(text: &[u8], width: usize) -> Vec<Vec<Vec<u8>>> {
    let mut reader = RowReader::new(text, width);
    let mut cells = Vec::new();
    let mut all = Vec::new();
    while reader.next_row(&mut cells).unwrap().is_some() {
        all.push(cells.iter().map(|cell| cell.value().into_owned()).collect());
    }
    all
}

fn page(header: &[&str], rows: &[Vec<String>]) -> Vec<u8> {
    let mut writer =
        ::csv::WriterBuilder::new().quote_style(::csv::QuoteStyle::Always).from_writer(Vec::new());
    writer.write_record(header).unwrap();
    for row in rows {
        writer.write_record(row).unwrap();
    }
    writer.into_inner().unwrap()
}

fn nasty() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("\"".to_string()),
        Just("\"\"".to_string()),
        Just(",".to_string()),
        Just("\n".to_string()),
        Just("\r\n".to_string()),
        Just("\r".to_string()),
        Just("\",\"".to_string()),
        Just("\0".to_string()),
        Just("ü😀\u{feff}".to_string()),
        "[a-z ]{0,6}",
    ];
    proptest::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

proptest! {
    // faults F11
    #[test]
    fn a_page_cut_at_any_byte_reads_as_the_csv_crate_reads_it_whole(
        rows in proptest::collection::vec(proptest::collection::vec(nasty(), 3), 0..5),
    ) {
        let names = ["Id", "Name", "Owner.Name"];
        let page = page(&names, &rows);
        let mut judge = ::csv::ReaderBuilder::new().from_reader(&page[..]);
        let expected: Vec<Vec<Vec<u8>>> = judge
            .byte_records()
            .map(|record| record.unwrap().iter().map(<[u8]>::to_vec).collect())
            .collect();
        prop_assert_eq!(expected.len(), rows.len());
        for at in 0..=page.len() {
            let (text, count) = read(&page, &[at], &names).unwrap();
            prop_assert_eq!(count, rows.len() as u64);
            prop_assert_eq!(&values(&text, 3), &expected, "cut at {}", at);
        }
        let every: Vec<usize> = (0..page.len()).collect();
        let (text, count) = read(&page, &every, &names).unwrap();
        prop_assert_eq!(count, rows.len() as u64);
        prop_assert_eq!(&values(&text, 3), &expected);
    }

    #[test]
    fn a_page_that_ends_early_never_passes_for_a_whole_one(
        rows in proptest::collection::vec(proptest::collection::vec(nasty(), 3), 1..4),
        share in 0.0..1.0_f64,
    ) {
        let names = ["Id", "Name", "Owner.Name"];
        let page = page(&names, &rows);
        let at = (page.len() as f64 * share) as usize;
        // Without its last line end it is whole; any shorter it lacks rows, or fails.
        let in_quote = page[..at].ends_with(b"\"") && page[at..].starts_with(b"\"");
        if at < page.len() - 1 && !in_quote && let Ok((_, count)) = read(&page[..at], &[], &names) {
            prop_assert!(count < rows.len() as u64);
        }
    }

    #[test]
    fn no_text_at_all_makes_the_cutter_or_the_reader_panic(text in proptest::collection::vec(any::<u8>(), 0..200), at in 0..200_usize) {
        let _ = read(&text, &[at.min(text.len())], &["Id", "Name"]);
        let mut reader = RowReader::new(&text, 2);
        let mut cells = Vec::new();
        while let Ok(Some(_)) = reader.next_row(&mut cells) {}
    }
}

#[test]
fn a_byte_order_mark_and_crlf_and_a_missing_last_line_end_are_taken_as_they_come() {
    for page in [
        "\u{feff}\"Id\",\"Name\"\r\n\"1\",\"a\"\r\n\"2\",\"b\"",
        "\"Id\",\"Name\"\n\"1\",\"a\"\n\"2\",\"b\"\n",
        "\u{feff}Id,Name\n1,a\n2,b\r",
        "id, NAME \r\n1,a\r\n2,b\r\n",
    ] {
        for at in 0..=page.len() {
            let (text, count) = read(page.as_bytes(), &[at], &["Id", "Name"]).unwrap();
            assert_eq!(count, 2, "{page:?}");
            let expected: [Vec<Vec<u8>>; 2] =
                [vec![b"1".to_vec(), b"a".to_vec()], vec![b"2".to_vec(), b"b".to_vec()]];
            assert_eq!(values(&text, 2), expected, "{page:?} cut at {at}");
        }
    }
}

#[test]
fn an_empty_result_has_no_rows_with_its_header_line_and_without() {
    for page in ["", "\"Id\"\n", "\"Id\""] {
        assert_eq!(read(page.as_bytes(), &[], &["Id"]).unwrap(), (vec![], 0), "{page:?}");
    }
}

#[test]
fn a_changed_order_of_columns_is_named() {
    let read = |header: &str| read(header.as_bytes(), &[], &["Id", "Name", "Phone"]).unwrap_err();
    let swapped = read("\"Id\",\"Phone\",\"Name\"\n");
    assert_eq!(swapped.to_string(), "column 2 of a page is `Phone`, and `Name` was asked for");
    assert_eq!((swapped.code(), swapped.fault()), ("page.columns", Fault::Data));
    let short = read("\"Id\",\"Name\"\n\"1\",\"2\"\n");
    assert_eq!(short.to_string(), "column 3 of a page is missing, and `Phone` was asked for");
    let long = read("Id,Name,Phone,\u{1b}[2J\n");
    assert_eq!(long.to_string(), "column 4 of a page is `\\u{1b}[2J`, and nothing was asked for");
    assert_eq!(read("<html>").to_string(), "column 1 of a page is `<html>`, and `Id` was asked for");
}

#[test]
fn a_page_that_ends_inside_a_row_is_named() {
    let page = b"\"Id\",\"Name\"\n\"1\",\"a\"\n\"2\",\"b\nc\"\n";
    for end in 24..page.len() - 1 {
        let found = read(&page[..end], &[], &["Id", "Name"]);
        match end {
            // `"2","b\nc"` lacks nothing but its line end.
            _ if page[..end].ends_with(b"c\"") => assert_eq!(found.unwrap().1, 2),
            _ => assert_eq!(found.unwrap_err(), PageError::CutShort { row: 2 }, "{end}"),
        }
    }
}

#[test]
fn a_row_longer_than_any_is_refused_and_a_row_below_the_limit_is_not() {
    let page = format!("\"Id\"\n\"1\"\n\"{}\"\n", "x".repeat(100));
    for (limit, fits) in [(103, true), (102, false)] {
        let mut cutter = RowCutter::with_limit(&columns(&["Id"]), limit);
        let mut end = Ok(());
        for chunk in page.as_bytes().chunks(7) {
            end = end.and(cutter.push(chunk).map(drop));
        }
        let refusal = PageError::RowTooLong { row: 2, limit };
        assert_eq!(end, if fits { Ok(()) } else { Err(refusal) });
    }
}

#[test]
fn a_row_with_too_many_or_too_few_values_is_named() {
    for (text, why) in [
        ("\"1\",\"2\"\n\"1\"\n", "1 values in 2 columns"),
        ("\"1\",\"2\"\n\"1\",\"2\",\"3\"\n", "3 values in 2 columns"),
        ("\"1\",\"2\"\n\"1\"x,\"2\"\n", "text beside its quotes"),
        ("\"1\",\"2\"\n\"1\",\"2\n", "a quote is not closed"),
    ] {
        let mut reader = RowReader::new(text.as_bytes(), 2);
        let mut cells = Vec::new();
        assert!(reader.next_row(&mut cells).unwrap().is_some());
        assert_eq!(reader.next_row(&mut cells), Err(Misfit { row: 2, why: why.into() }));
    }
}

// faults F9
#[test]
fn nul_characters_are_replaced_or_removed_or_kept_or_refused_and_counted() {
    let text = b"\"1\",\"a\"\n\"2\",\"\0b\0\"\n";
    let rows = Rows { text, count: 2 };
    for (policy, expected, count) in [
        (Nul::Replace, &b"\"1\",\"a\"\n\"2\",\"\xef\xbf\xbdb\xef\xbf\xbd\"\n"[..], 2),
        (Nul::Remove, b"\"1\",\"a\"\n\"2\",\"b\"\n", 2),
        (Nul::Keep, text, 0),
    ] {
        let mut cleaner = Cleaner::new(policy);
        assert_eq!(cleaner.clean(rows).unwrap(), Rows { text: expected, count: 2 });
        assert_eq!(cleaner.nuls, count);
    }
    assert_eq!(Cleaner::new(Nul::Fail).clean(rows), Err(Unclean::Nul(2)));
}

#[test]
fn bytes_that_are_not_utf8_are_named_by_their_row() {
    let rows = Rows { text: b"\"1\"\n\"\n\"\n\"\xff\"\n", count: 3 };
    assert_eq!(Unclean::utf8(&rows), Err(Unclean::NotUtf8(3)));
    assert_eq!(Unclean::utf8(&Rows { text: "\"ü\"\n".as_bytes(), count: 1 }), Ok("\"ü\"\n"));
}
