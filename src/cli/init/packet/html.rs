use super::words::{Block, Line, Packet, Piece, Section};

/// Readable on a screen and on paper; loads nothing from anywhere.
const STYLE: &str = "\
:root{color-scheme:light dark;--ink:#1b1f24;--soft:#57606a;--line:#d0d7de;--paper:#fff;--tint:#f4f6f8}\
@media(prefers-color-scheme:dark){:root{--ink:#e6e9ed;--soft:#9aa4af;--line:#3a424c;--paper:#14181d;--tint:#1d232a}}\
*{box-sizing:border-box}\
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif}\
main{max-width:46rem;margin:0 auto;padding:2.5rem 1.25rem 4rem}\
h1{font-size:1.7rem;line-height:1.25;margin:0 0 .75rem;overflow-wrap:anywhere}\
h2{font-size:1.15rem;margin:2.25rem 0 .6rem;padding-top:.9rem;border-top:1px solid var(--line)}\
p,li,td,th{overflow-wrap:anywhere}\
p{margin:.6rem 0}\
.lead{color:var(--soft);font-size:1.05rem}\
ol{padding-left:1.5rem;margin:.6rem 0}li{margin:.4rem 0;padding-left:.2rem}\
table{width:100%;border-collapse:collapse;margin:.8rem 0}\
th,td{text-align:left;vertical-align:top;padding:.45rem .6rem;border-bottom:1px solid var(--line)}\
th{width:34%;font-weight:600}\
code{font-family:ui-monospace,'SF Mono',Consolas,'DejaVu Sans Mono',monospace;font-size:.88em;background:var(--tint);padding:.08em .3em;border-radius:3px;overflow-wrap:anywhere}\
pre{background:var(--tint);border:1px solid var(--line);border-radius:6px;padding:.8rem;overflow-x:auto;white-space:pre-wrap;overflow-wrap:anywhere}\
pre code{background:none;padding:0}\
b.screen{font-weight:650}\
.blank td{border-bottom:1px solid var(--soft);height:2.6rem}.blank small{color:var(--soft);display:block;font-weight:400}\
@media print{:root{--ink:#000;--soft:#333;--line:#999;--paper:#fff;--tint:#f2f2f2}\
body{font-size:11pt}main{max-width:none;padding:0}h2{break-after:avoid}li,tr,pre{break-inside:avoid}@page{margin:18mm}}";

/// The packet as one page that needs nothing else.
pub fn html(packet: &Packet) -> String {
    let title = escape(&packet.title);
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n\
         <h1>{title}</h1>\n<p class=\"lead\">{}</p>\n",
        run(&packet.lead)
    );
    for section in &packet.sections {
        out.push_str(&part(section));
    }
    out.push_str("</main>\n</body>\n</html>\n");
    out
}

fn part(section: &Section) -> String {
    let mut out = format!("<h2>{}</h2>\n", escape(section.title));
    for block in &section.blocks {
        match block {
            Block::Says(line) => out.push_str(&format!("<p>{}</p>\n", run(line))),
            Block::Steps(steps) => {
                let items: String = steps.iter().map(|step| format!("<li>{}</li>\n", run(step))).collect();
                out.push_str(&format!("<ol>\n{items}</ol>\n"));
            }
            Block::Facts(facts) => {
                let rows: String = facts
                    .iter()
                    .map(|(name, says)| {
                        format!("<tr><th scope=\"row\">{}</th><td>{}</td></tr>\n", run(name), run(says))
                    })
                    .collect();
                out.push_str(&format!("<table>\n{rows}</table>\n"));
            }
            Block::Copy(text) => out.push_str(&format!("<pre><code>{}</code></pre>\n", escape(text))),
            Block::Blanks(blanks) => {
                let rows: String = blanks
                    .iter()
                    .map(|(name, hint)| {
                        format!(
                            "<tr><th scope=\"row\">{}<small>{}</small></th><td></td></tr>\n",
                            escape(name),
                            run(hint)
                        )
                    })
                    .collect();
                out.push_str(&format!("<table class=\"blank\">\n{rows}</table>\n"));
            }
        }
    }
    out
}

fn run(line: &Line) -> String {
    line.0
        .iter()
        .map(|piece| match piece {
            Piece::Plain(text) => escape(text),
            Piece::Screen(text) => format!("<b class=\"screen\">{}</b>", escape(text)),
            Piece::Exact(text) => format!("<code>{}</code>", escape(text)),
        })
        .collect()
}

/// `text` as text of a page, in content and in attributes alike.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}
