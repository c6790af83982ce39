use super::words::{Block, Line, Packet, Piece};

/// The widest line that is broken by us. Characters.
const WIDTH: usize = 78;

/// The packet as plain text, for mail and tickets.
pub fn text(packet: &Packet) -> String {
    let mut out = format!("{}\n{}\n\n", packet.title, "=".repeat(packet.title.chars().count().min(WIDTH)));
    out.push_str(&wrapped(&run(&packet.lead), "", ""));
    for section in &packet.sections {
        out.push_str(&format!("\n\n{}\n{}\n", section.title, "-".repeat(section.title.chars().count())));
        for block in &section.blocks {
            out.push('\n');
            match block {
                Block::Says(line) => out.push_str(&wrapped(&run(line), "", "")),
                Block::Steps(steps) => {
                    for (at, step) in steps.iter().enumerate() {
                        out.push_str(&wrapped(&run(step), &format!("{:>2}. ", at + 1), "    "));
                    }
                }
                Block::Facts(facts) => {
                    for (name, says) in facts {
                        out.push_str(&wrapped(&run(name), "* ", "  "));
                        out.push_str(&wrapped(&run(says), "    ", "    "));
                    }
                }
                Block::Copy(text) => text.lines().for_each(|line| out.push_str(&format!("    {line}\n"))),
                Block::Blanks(blanks) => {
                    for (name, hint) in blanks {
                        out.push_str(&wrapped(&format!("{name} ({})", run(hint)), "", ""));
                        out.push_str(&format!("    {}\n\n", "_".repeat(WIDTH - 4)));
                    }
                }
            }
        }
    }
    out
}

fn run(line: &Line) -> String {
    line.0
        .iter()
        .map(|piece| match piece {
            Piece::Plain(text) | Piece::Exact(text) => text.clone(),
            Piece::Screen(text) => format!("\"{text}\""),
        })
        .collect()
}

/// Words in lines of at most [`WIDTH`], a word longer than that on a line of its own.
fn wrapped(text: &str, first: &str, rest: &str) -> String {
    let mut out = String::new();
    let mut at = first.to_string();
    let mut is_empty = true;
    for word in text.split_whitespace() {
        if !is_empty && at.chars().count() + 1 + word.chars().count() > WIDTH {
            out.push_str(&at);
            out.push('\n');
            at = rest.to_string();
            is_empty = true;
        }
        if !is_empty {
            at.push(' ');
        }
        at.push_str(word);
        is_empty = false;
    }
    out.push_str(&at);
    out.push('\n');
    out
}
