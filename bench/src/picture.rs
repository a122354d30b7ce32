//! Draws pictures of the tables in SVG, which have a dot for each library on a scale of ratios.

use std::fmt::Write as _;

/// The dots of one library: its name, and its ratio in each row, or `None` if it cannot do that work.
pub struct Series {
    pub name: String,
    pub ratios: Vec<Option<f64>>,
}

const WIDTH: f64 = 560.0;
const ROW: f64 = 24.0;
/// An upper bound of the average width of a letter.
const LETTER: f64 = 7.2;

/// Colours that also differ in lightness, for readers who see few colours.
const COLOURS: [&str; 13] = [
    "#d6204e", "#7a7a7a", "#1f77b4", "#e69f00", "#009e73", "#8b5fbf", "#56b4e9", "#a65628",
    "#f781bf", "#b5bd00", "#4d4d9f", "#00b5ad", "#c49c94",
];

/// Draws the ratios of every series in every row. `one` names the thing with ratio 1. The first
/// series is emphasised.
pub fn ratios(title: &str, one: &str, rows: &[&str], series: &[Series]) -> String {
    let all = series
        .iter()
        .flat_map(|series| series.ratios.iter().flatten());
    let (low, high) = all.fold((0.5_f64, 2.0_f64), |(low, high), ratio| {
        (low.min(*ratio), high.max(*ratio))
    });
    let (low, high) = (low.log2().floor(), high.log2().ceil());
    let longest = rows.iter().map(|row| row.len()).max().unwrap_or(0);
    let left = 28.0 + LETTER * longest as f64;
    let x = |ratio: f64| left + WIDTH * (ratio.log2() - low) / (high - low);
    let width = left + WIDTH + 30.0;
    let legend = legend(series, width);
    let top = legend.last().map_or(0.0, |(_, y)| *y) + 24.0;
    let bottom = top + ROW * rows.len() as f64;
    let height = bottom + 40.0;

    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"sans-serif\" font-size=\"13\">\n\
         <style>\n\
         text {{ fill: #222 }} .grid {{ stroke: #ddd }} .one {{ stroke: #222; stroke-width: 2 }}\n\
         .paper {{ fill: #fff }}\n\
         @media (prefers-color-scheme: dark) {{\n\
         text {{ fill: #ddd }} .grid {{ stroke: #444 }} .one {{ stroke: #ddd }} .paper {{ fill: #161616 }}\n\
         }}\n\
         </style>\n\
         <rect class=\"paper\" width=\"{width}\" height=\"{height}\"/>\n\
         <text x=\"16\" y=\"26\" font-size=\"16\" font-weight=\"bold\">{title}</text>\n"
    );
    for (place, ((at, line), candidate)) in legend.iter().zip(series).enumerate() {
        dot(&mut svg, at + 6.0, *line, place, &candidate.name);
        let (x, y) = (at + 16.0, line + 4.0);
        let _ = writeln!(svg, "<text x=\"{x}\" y=\"{y}\">{}</text>", candidate.name);
    }
    for power in low as i32..=high as i32 {
        let ratio = 2.0_f64.powi(power);
        let class = if power == 0 { "one" } else { "grid" };
        let label = match power {
            0 => one.to_owned(),
            power if power < 0 => format!("1/{}", 1 << -power),
            power => format!("{}x", 1 << power),
        };
        let _ = writeln!(
            svg,
            "<line class=\"{class}\" x1=\"{0:.1}\" x2=\"{0:.1}\" y1=\"{top}\" y2=\"{bottom}\"/>\
             <text x=\"{0:.1}\" y=\"{1}\" text-anchor=\"middle\">{label}</text>",
            x(ratio),
            bottom + 20.0,
        );
    }
    for (row, title) in rows.iter().enumerate() {
        let y = top + ROW * (row as f64 + 0.5);
        let _ = writeln!(
            svg,
            "<line class=\"grid\" x1=\"{left}\" x2=\"{0}\" y1=\"{y}\" y2=\"{y}\"/>\
             <text x=\"{1}\" y=\"{2}\" text-anchor=\"end\">{title}</text>",
            left + WIDTH,
            left - 12.0,
            y + 4.0,
        );
        // Our dot is drawn last, on top of the others.
        for (place, candidate) in series.iter().enumerate().rev() {
            if let Some(ratio) = candidate.ratios[row] {
                let tip = format!("{}: {ratio:.2}", candidate.name);
                dot(&mut svg, x(ratio), y, place, &tip);
            }
        }
    }
    svg.push_str("</svg>\n");
    svg
}

/// Returns the place of each name in the legend, which has as many lines as the names need.
fn legend(series: &[Series], width: f64) -> Vec<(f64, f64)> {
    let (mut at, mut line) = (16.0, 48.0);
    let place = |candidate: &Series| {
        let wide = 34.0 + LETTER * candidate.name.len() as f64;
        if at + wide > width {
            (at, line) = (16.0, line + 22.0);
        }
        let place = (at, line);
        at += wide;
        place
    };
    series.iter().map(place).collect()
}

fn dot(svg: &mut String, x: f64, y: f64, place: usize, tip: &str) {
    let (colour, tip) = (
        COLOURS[place % COLOURS.len()],
        format!("<title>{tip}</title>"),
    );
    let _ = match place {
        0 => writeln!(
            svg,
            "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"11\" height=\"11\" fill=\"{colour}\" \
             transform=\"rotate(45 {x:.1} {y:.1})\">{tip}</rect>",
            x - 5.5,
            y - 5.5,
        ),
        _ => writeln!(
            svg,
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4.5\" fill=\"{colour}\">{tip}</circle>"
        ),
    };
}
