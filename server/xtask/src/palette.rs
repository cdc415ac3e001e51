//! The colours of the shipped tokens file, measured: contrast by WCAG, and how far the verdicts are apart for people
//! with and without colour blindness. Reads `style/tokens.css`; a colour that fails there fails `tidy`.
//!
//! The numbers are those of `ux.md` 3.3: text 4.5, graphics 3 or an outline that has it, verdicts at least 10 apart
//! (CIEDE2000) in every vision that Machado et al. (2009) model.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};

use crate::cmd;

/// What each verdict is drawn with; idle shares the colours of unknown.
const VERDICTS: [&str; 7] = ["failed", "stuck", "degraded", "waiting", "converging", "converged", "unknown"];
/// What verdicts and texts are drawn on.
const SURFACES: [&str; 2] = ["surface", "sunken"];
const TEXT: f64 = 4.5;
const GRAPHICS: f64 = 3.0;
/// About 10 is already clearly another colour.
const APART: f64 = 10.0;

type Matrix = [[f64; 3]; 3];
type Theme = BTreeMap<String, [f64; 3]>;

/// Machado, Oliveira and Fernandes 2009 at full severity, on linear RGB.
const VISIONS: [(&str, Matrix); 4] = [
    ("normal", [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]),
    (
        "protan",
        [
            [0.152_286, 1.052_583, -0.204_868],
            [0.114_503, 0.786_281, 0.099_216],
            [-0.003_882, -0.048_116, 1.051_998],
        ],
    ),
    (
        "deutan",
        [
            [0.367_322, 0.860_646, -0.227_968],
            [0.280_085, 0.672_501, 0.047_413],
            [-0.011_820, 0.042_940, 0.968_881],
        ],
    ),
    (
        "tritan",
        [
            [1.255_528, -0.076_749, -0.178_779],
            [-0.078_411, 0.930_809, 0.147_602],
            [0.004_733, 0.691_367, 0.303_900],
        ],
    ),
];

/// Adds what is wrong with the shipped colours.
pub(crate) fn check(problems: &mut Vec<String>) -> Result<()> {
    let path = cmd::root().join("style/tokens.css");
    let text = std::fs::read_to_string(&path).context("could not read style/tokens.css")?;
    for fault in faults(&text)? {
        problems.push(format!("style/tokens.css: {fault}"));
    }
    Ok(())
}

fn faults(css: &str) -> Result<Vec<String>> {
    let themes = themes(css)?;
    let [light, by_system, by_choice] = &themes[..] else {
        anyhow::bail!("expected light colours and dark ones twice, found {} blocks", themes.len())
    };
    let mut faults = Vec::new();
    if by_system != by_choice {
        faults.push("the dark colours of the system's choice and of the reader's differ".to_owned());
    }
    for (name, theme) in [("light", light), ("dark", by_choice)] {
        measure(name, theme, &mut faults)?;
    }
    Ok(faults)
}

/// The colours behind each ` color-scheme:`, in linear RGB; `prefers-color-scheme` is a question, not a theme.
fn themes(css: &str) -> Result<Vec<Theme>> {
    css.split(" color-scheme:").skip(1).map(theme).collect()
}

fn theme(block: &str) -> Result<Theme> {
    let block = block.split('}').next().unwrap_or_default();
    let mut colours = Theme::new();
    for declaration in block.split(';') {
        let Some((name, value)) = declaration.trim().strip_prefix("--").and_then(|rest| rest.split_once(':'))
        else {
            continue;
        };
        if let Some(hex) = value.trim().strip_prefix('#') {
            colours.insert(name.to_owned(), linear(hex).with_context(|| format!("--{name}"))?);
        }
    }
    Ok(colours)
}

fn linear(hex: &str) -> Result<[f64; 3]> {
    ensure!(hex.len() == 6, "#{hex} is not six digits");
    let mut rgb = [0.0; 3];
    for (i, part) in rgb.iter_mut().enumerate() {
        let digits = hex.get(2 * i..2 * i + 2).context("not plain ASCII")?;
        let share = f64::from(u8::from_str_radix(digits, 16)?) / 255.0;
        *part = if share <= 0.04045 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) };
    }
    Ok(rgb)
}

fn measure(name: &str, theme: &Theme, faults: &mut Vec<String>) -> Result<()> {
    let colour = |token: &str| {
        theme.get(token).copied().with_context(|| format!("--{token} is missing in the {name} theme"))
    };
    let mut at_least = |what: String, least: f64, a: [f64; 3], b: [f64; 3]| {
        let found = contrast(a, b);
        if found < least {
            faults.push(format!("{name}: {what} has a contrast of {found:.2}, below {least}"));
        }
    };
    for verdict in VERDICTS {
        let solid = colour(verdict)?;
        let (text, tint) = (colour(&format!("{verdict}-text"))?, colour(&format!("{verdict}-tint"))?);
        at_least(format!("--{verdict}-on on its colour"), TEXT, colour(&format!("{verdict}-on"))?, solid);
        at_least(format!("--{verdict}-text on its tint"), TEXT, text, tint);
        // A colour that is too light for the ground is drawn with an outline.
        let edge = theme.get(&format!("{verdict}-line")).copied().unwrap_or(solid);
        for ground in SURFACES {
            at_least(format!("--{verdict}-text on --{ground}"), TEXT, text, colour(ground)?);
            at_least(format!("--{verdict} or its outline on --{ground}"), GRAPHICS, edge, colour(ground)?);
        }
    }
    for ground in SURFACES {
        for text in ["text", "muted", "link"] {
            at_least(format!("--{text} on --{ground}"), TEXT, colour(text)?, colour(ground)?);
        }
        at_least(format!("--control on --{ground}"), GRAPHICS, colour("control")?, colour(ground)?);
    }
    for (vision, matrix) in VISIONS {
        for (i, one) in VERDICTS.iter().enumerate() {
            for other in &VERDICTS[i + 1..] {
                let seen = |token: &str| colour(token).map(|rgb| lab(simulated(rgb, matrix)));
                let apart = distance(seen(one)?, seen(other)?);
                if apart < APART {
                    faults.push(format!(
                        "{name}: --{one} and --{other} are {apart:.1} apart in {vision} vision, below {APART}"
                    ));
                }
            }
        }
    }
    Ok(())
}

fn luminance([r, g, b]: [f64; 3]) -> f64 {
    0.2126 * r + 0.7152 * g + 0.0722 * b
}

fn contrast(a: [f64; 3], b: [f64; 3]) -> f64 {
    let (a, b) = (luminance(a) + 0.05, luminance(b) + 0.05);
    a.max(b) / a.min(b)
}

fn simulated(rgb: [f64; 3], matrix: Matrix) -> [f64; 3] {
    matrix.map(|row| row.iter().zip(rgb).map(|(weight, part)| weight * part).sum::<f64>().clamp(0.0, 1.0))
}

fn lab([r, g, b]: [f64; 3]) -> [f64; 3] {
    let root = |t: f64| {
        if t > 216.0 / 24389.0 { t.cbrt() } else { (24389.0 / 27.0 * t + 16.0) / 116.0 }
    };
    let x = root((0.412_456_4 * r + 0.357_576_1 * g + 0.180_437_5 * b) / 0.950_47);
    let y = root(0.212_672_9 * r + 0.715_152_2 * g + 0.072_175_0 * b);
    let z = root((0.019_333_9 * r + 0.119_192_0 * g + 0.950_304_1 * b) / 1.088_83);
    [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
}

/// CIEDE2000 with all weights at one.
fn distance([l1, a1, b1]: [f64; 3], [l2, a2, b2]: [f64; 3]) -> f64 {
    let seventh = |c: f64| (c.powi(7) / (c.powi(7) + 25_f64.powi(7))).sqrt();
    let grey = 0.5 * (1.0 - seventh(f64::midpoint(a1.hypot(b1), a2.hypot(b2))));
    let (a1, a2) = ((1.0 + grey) * a1, (1.0 + grey) * a2);
    let (c1, c2) = (a1.hypot(b1), a2.hypot(b2));
    let hue = |a: f64, b: f64| {
        if a == 0.0 && b == 0.0 { 0.0 } else { b.atan2(a).to_degrees().rem_euclid(360.0) }
    };
    let (h1, h2) = (hue(a1, b1), hue(a2, b2));
    let coloured = c1 * c2 != 0.0;
    let turn = match h2 - h1 {
        _ if !coloured => 0.0,
        turn if turn > 180.0 => turn - 360.0,
        turn if turn < -180.0 => turn + 360.0,
        turn => turn,
    };
    let mean_hue = match h1 + h2 {
        sum if !coloured => sum,
        sum if (h1 - h2).abs() <= 180.0 => sum / 2.0,
        sum if sum < 360.0 => (sum + 360.0) / 2.0,
        sum => (sum - 360.0) / 2.0,
    };
    let (mean_l, mean_c) = (f64::midpoint(l1, l2), f64::midpoint(c1, c2));
    let wave = |times: f64, shift: f64| (times * mean_hue + shift).to_radians().cos();
    let t = 1.0 - 0.17 * wave(1.0, -30.0) + 0.24 * wave(2.0, 0.0) + 0.32 * wave(3.0, 6.0)
        - 0.20 * wave(4.0, -63.0);
    let lift = (mean_l - 50.0).powi(2);
    let light = (l2 - l1) / (1.0 + 0.015 * lift / (20.0 + lift).sqrt());
    let chroma = (c2 - c1) / (1.0 + 0.045 * mean_c);
    let tone = 2.0 * (c1 * c2).sqrt() * (turn / 2.0).to_radians().sin() / (1.0 + 0.015 * mean_c * t);
    let bend = -((60.0 * (-((mean_hue - 275.0) / 25.0).powi(2)).exp()).to_radians().sin());
    let mixed = 2.0 * bend * seventh(mean_c) * chroma * tone;
    (light.powi(2) + chroma.powi(2) + tone.powi(2) + mixed).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shipped() -> String {
        std::fs::read_to_string(cmd::root().join("style/tokens.css")).unwrap()
    }

    #[test]
    fn the_shipped_colours_can_be_read_and_told_apart() {
        assert_eq!(faults(&shipped()).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn a_pale_text_a_lost_outline_and_twins_are_found() {
        let with = |from: &str, to: &str| faults(&shipped().replacen(from, to, 1)).unwrap().join("\n");
        assert!(with("--muted: #535b66", "--muted: #a3abb6").contains("--muted on --surface"));
        assert!(with("--degraded-line: #6b4e00;", "").contains("--degraded or its outline on --surface"));
        let twins = with("--waiting: #542c87", "--waiting: #2b4fdf");
        assert!(twins.contains("--waiting and --converging") && twins.contains("protan"), "{twins}");
        assert!(with("--link: #8ab8ff", "--link: #8ab8fe").contains("differ"));
    }

    #[test]
    fn a_missing_token_is_an_error_and_not_a_pass() {
        assert!(faults(&shipped().replace("--stuck-text:", "--stuck-ink:")).is_err());
        assert!(faults("").is_err());
    }

    #[test]
    fn the_distance_is_that_of_the_published_examples() {
        // Sharma, Wu and Dalal 2005, pairs 1, 7, 17 and 25.
        let cases = [
            ([50.0, 2.6772, -79.7751], [50.0, 0.0, -82.7485], 2.0425),
            ([50.0, 0.0, 0.0], [50.0, -1.0, 2.0], 2.3669),
            ([50.0, 2.5, 0.0], [73.0, 25.0, -18.0], 27.1492),
            ([60.2574, -34.0099, 36.2677], [60.4626, -34.1751, 39.4387], 1.2644),
        ];
        for (a, b, expected) in cases {
            assert!((distance(a, b) - expected).abs() < 1e-4, "{a:?} {b:?}: {}", distance(a, b));
        }
    }
}
