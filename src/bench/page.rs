//! The figures as one page that needs nothing beside itself: no script, no font, no request.

use super::figures::{Load, Measured, Of, Phase, Spread};
use std::fmt::Write as _;

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1c2430}\
table{border-collapse:collapse;margin:1rem 0}td,th{padding:.25rem .9rem;text-align:right;border-bottom:1px solid #d8dee6}\
td:first-child,th:first-child{text-align:left}small,text{fill:#5a6675;color:#5a6675;font-size:12px}\
svg{width:100%;height:auto}.d{stroke:#8a94a3;fill:#8a94a3}.t{stroke:#0b62d6;fill:#0b62d6}.line{fill:none;stroke-width:2}\
.grid{stroke:#e6eaef}code{overflow-wrap:anywhere}";

/// Writes the page. `lines`: what was measured and how, a line each.
pub fn page(measured: &Measured, title: &str, lines: &[String]) -> String {
    let mut html = String::new();
    let title = escaped(title);
    add(
        &mut html,
        format_args!(
            "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\
         <title>{title}</title><style>{STYLE}</style><h1>{title}</h1>"
        ),
    );
    for line in lines {
        add(&mut html, format_args!("<p><code>{}</code></p>", escaped(line)));
    }
    let fixed = &measured.fixed;
    html.push_str("<h2>At a fixed rate</h2>");
    html.push_str(&times_table(fixed.direct.as_ref(), &fixed.through, fixed.added.as_ref()));
    html.push_str("<p><small>Microseconds from a query's due time to the last byte of its answer: the median of all rounds, and the least and greatest.</small></p>");
    html.push_str(&curves(fixed.direct.as_ref(), &fixed.through));
    if !measured.phases.is_empty() {
        html.push_str("<h2>Where the time goes</h2>");
        html.push_str(&bars(&measured.phases));
    }
    if let Some(full) = &measured.full {
        html.push_str("<h2>As fast as it goes</h2><table><tr><th></th><th>answers a second</th><th>p50 us</th><th>p99 us</th><th>failed</th></tr>");
        for (name, load) in sides(full.direct.as_ref(), &full.through) {
            add(
                &mut html,
                format_args!(
                    "<tr><td>{name}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
                    spread(load.answered_per_second),
                    spread(load.times.p50),
                    spread(load.times.p99),
                    load.failed()
                ),
            );
        }
        html.push_str("</table>");
    }
    html.push_str("</html>\n");
    html
}

fn sides<'l>(direct: Option<&'l Load>, through: &'l Load) -> impl Iterator<Item = (&'static str, &'l Load)> {
    direct.map(|load| ("direct", load)).into_iter().chain([("through the proxy", through)])
}

fn times_table(direct: Option<&Load>, through: &Load, added: Option<&super::Quantiles>) -> String {
    let mut html = "<table><tr><th></th>".to_owned();
    for of in Of::ALL {
        add(&mut html, format_args!("<th>{}</th>", of.name()));
    }
    html.push_str("<th>answered</th><th>failed</th></tr>");
    for (name, load) in sides(direct, through) {
        add(&mut html, format_args!("<tr><td>{name}</td>"));
        for of in Of::ALL {
            add(&mut html, format_args!("<td>{}</td>", spread(load.times.get(of))));
        }
        add(&mut html, format_args!("<td>{}</td><td>{}</td></tr>", load.answered, load.failed()));
    }
    if let Some(added) = added {
        html.push_str("<tr><td>added</td>");
        for of in Of::ALL {
            add(&mut html, format_args!("<td>{}</td>", spread(added.get(of))));
        }
        html.push_str("<td></td><td></td></tr>");
    }
    html.push_str("</table>");
    html
}

fn spread(one: Spread) -> String {
    format!("{:.0} <small>{:.0}..{:.0}</small>", one.median, one.min, one.max)
}

const WIDTH: f64 = 800.0;
const HEIGHT: f64 = 300.0;
/// Where the axes are.
const LEFT: f64 = 70.0;
const BOTTOM: f64 = 260.0;

/// Latency by share: each step to the right is ten times rarer, each step up ten times longer.
fn curves(direct: Option<&Load>, through: &Load) -> String {
    let points = || sides(direct, through).flat_map(|(_, load)| &load.curve);
    let times = || points().map(|(_, time)| log(*time));
    let (low, high) = (times().fold(f64::INFINITY, f64::min).floor(), times().fold(0.0, f64::max).ceil());
    let rarest = points().map(|(share, _)| rarity(*share)).fold(1.0, f64::max).ceil();
    if !low.is_finite() {
        return String::new();
    }
    let x = |share: f64| LEFT + rarity(share) / rarest * (WIDTH - LEFT - 40.0);
    let y = |log: f64| BOTTOM - (log - low) / (high - low).max(1.0) * (BOTTOM - 20.0);
    let mut svg =
        format!("<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"latency by share of the answers\">");
    let mut decade = low;
    while decade <= high {
        let (at, label) = (y(decade), time(10_f64.powf(decade)));
        add(
            &mut svg,
            format_args!(
                "<path class=\"grid\" d=\"M{LEFT} {at:.1}H{WIDTH}\"/><text x=\"8\" y=\"{:.1}\">{label}</text>",
                at + 4.0
            ),
        );
        decade += 1.0;
    }
    for share in [0.0, 0.9, 0.99, 0.999, 0.9999, 0.99999] {
        if rarity(share) <= rarest {
            add(
                &mut svg,
                format_args!(
                    "<text text-anchor=\"middle\" x=\"{:.1}\" y=\"{:.1}\">{} %</text>",
                    x(share),
                    BOTTOM + 20.0,
                    share * 100.0
                ),
            );
        }
    }
    for (at, (name, load)) in sides(direct, through).enumerate() {
        let class = if name == "direct" { "d" } else { "t" };
        let line: Vec<String> =
            load.curve.iter().map(|(share, time)| format!("{:.1},{:.1}", x(*share), y(log(*time)))).collect();
        add(&mut svg, format_args!("<polyline class=\"line {class}\" points=\"{}\"/>", line.join(" ")));
        let row = 14.0 + 16.0 * if at == 0 { 0.0 } else { 1.0 };
        add(
            &mut svg,
            format_args!(
                "<rect class=\"{class}\" x=\"{:.0}\" y=\"{:.0}\" width=\"10\" height=\"10\"/><text x=\"{:.0}\" y=\"{row:.0}\">{name}</text>",
                LEFT + 10.0,
                row - 9.0,
                LEFT + 26.0
            ),
        );
    }
    svg.push_str("</svg>");
    svg
}

fn bars(phases: &[Phase]) -> String {
    let longest = phases.iter().map(|phase| phase.p99).fold(1.0, f64::max);
    let row = 24.0;
    let height = phases.iter().fold(10.0, |sum, _| sum + row);
    let mut svg =
        format!("<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"microseconds of each phase\">");
    let mut y = 4.0;
    for Phase { name, p50, p99 } in phases {
        let width = |time: f64| time / longest * (WIDTH - 330.0);
        add(
            &mut svg,
            format_args!(
                "<text x=\"0\" y=\"{:.0}\">{}</text><rect class=\"d\" x=\"90\" y=\"{y:.0}\" width=\"{:.1}\" height=\"16\"/>\
             <rect class=\"t\" x=\"90\" y=\"{y:.0}\" width=\"{:.1}\" height=\"16\"/><text x=\"{:.1}\" y=\"{:.0}\">p50 {p50:.0} us, p99 {p99:.0} us</text>",
                y + 13.0,
                escaped(name),
                width(*p99),
                width(*p50),
                98.0 + width(*p99),
                y + 13.0
            ),
        );
        y += row;
    }
    svg.push_str("</svg>");
    svg
}

fn rarity(share: f64) -> f64 {
    -(1.0 - share).max(1e-9).log10()
}

fn log(micros: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a place in a picture")]
    let micros = micros.max(1) as f64;
    micros.log10()
}

fn time(micros: f64) -> String {
    match micros {
        micros if micros < 1e3 => format!("{micros:.0} us"),
        micros if micros < 1e6 => format!("{:.0} ms", micros / 1e3),
        micros => format!("{:.0} s", micros / 1e6),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn add(html: &mut String, text: std::fmt::Arguments<'_>) {
    let _never_fails = html.write_fmt(text);
}
