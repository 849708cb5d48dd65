//! Numbers for people.

use crate::system::Metrics;

/// `name value` pairs of metrics, short, in the order of the names in `order`. Others stand behind them: losses,
/// then what is right, then the rest.
pub fn describe_in_order(metrics: &Metrics, order: &[String]) -> String {
    let first = order.iter().filter_map(|name| metrics.get_key_value(name));
    let mut others: Vec<_> = metrics.iter().filter(|(name, _)| !order.contains(name)).collect();
    others.sort_by_key(|(name, _)| rank(name));
    let pairs = first.chain(others).map(|(name, value)| format!("{name} {}", number(*value)));
    pairs.collect::<Vec<_>>().join("  ")
}

/// What is looked at first has the lowest.
fn rank(metric: &str) -> u8 {
    match metric {
        _ if metric.ends_with("loss") || metric.ends_with("cross_entropy") => 0,
        _ if metric.ends_with("accuracy") => 1,
        _ => 2,
    }
}

/// A number for people: whole numbers as they are, others to four significant digits.
pub fn number(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 1e12 {
        return format!("{value}");
    }
    match value.abs() {
        1e-3..1e6 => {
            let digits = 3 - (value.abs().log10().floor() as i32);
            format!("{value:.*}", digits.max(0) as usize)
        }
        _ => format!("{value:.3e}"),
    }
}

/// Seconds for people: `8 s`, `3 m 20 s`, `2 h 5 m`.
pub fn duration(seconds: f64) -> String {
    let whole = if seconds.is_finite() { seconds.max(0.0).round() as u64 } else { return "?".to_owned() };
    match whole {
        0..60 => format!("{whole} s"),
        60..3600 => format!("{} m {} s", whole / 60, whole % 60),
        _ => format!("{} h {} m", whole / 3600, whole / 60 % 60),
    }
}

/// Bytes for people: `512 B`, `1.5 KiB`, `2.0 GiB`.
pub fn bytes(count: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if count < 1024 {
        return format!("{count} B");
    }
    let (mut value, mut unit) = (count as f64 / 1024.0, 0);
    while value >= 1023.95 && unit + 1 < UNITS.len() {
        (value, unit) = (value / 1024.0, unit + 1);
    }
    format!("{value:.1} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_come_first_where_no_order_is_known() {
        let names = ["accuracy", "epochs", "soft_loss", "hard_loss"];
        let metrics = names.into_iter().map(|name| (name.to_owned(), 1.0)).collect();
        assert_eq!(describe_in_order(&metrics, &[]), "hard_loss 1  soft_loss 1  accuracy 1  epochs 1");
        let order = ["epochs".to_owned()];
        assert!(describe_in_order(&metrics, &order).starts_with("epochs 1  hard_loss 1"));
    }

    #[test]
    fn bytes_for_people() {
        let cases = [
            (0, "0 B"),
            (1023, "1023 B"),
            (1536, "1.5 KiB"),
            (1 << 20, "1.0 MiB"),
            (u64::MAX, "16384.0 PiB"),
        ];
        for (count, text) in cases {
            assert_eq!(bytes(count), text);
        }
    }

    #[test]
    fn numbers_are_short() {
        let cases =
            [(3.0, "3"), (0.123456, "0.1235"), (12.3456, "12.35"), (1.5e-7, "1.500e-7"), (4567.89, "4568")];
        for (value, text) in cases {
            assert_eq!(number(value), text);
        }
        assert_eq!(number(f64::NAN), "NaN");
        assert_eq!(duration(7510.0), "2 h 5 m");
    }
}
